import { EXIT } from '../model/exit-codes.js';
import { IzoError, type Place } from '../model/errors.js';
import type { Fileset } from './fsetdb.js';
import type { Invitation } from './invitation.js';
import { DEFAULT_PSDEV } from './mount-options.js';
import type { Server } from './serverdb.js';
import { quoted } from './suggest.js';
import type { Sysid } from './sysid.js';

/**
 * What a joining client's files become: what is there stays, what the invitation brings is added. Where the two
 * contradict each other it is refused, or, if forced, the invitation wins. Undefined: nothing to change.
 */

function contradiction(code: string, message: string, place: Place, remedy: string): IzoError {
  return new IzoError(code, message, { place, remedy, exit: EXIT.refused });
}

const OR_FORCE = 'or let the invitation win with `izo join --force TOKEN`.';

export interface SysidWishes {
  force: boolean;
  /** Undefined: what the file has, else none. */
  bindaddr?: string | undefined;
  /** Undefined: what the file has, else /dev/intermezzo0. */
  psdev?: string | undefined;
}

export function mergeSysid(
  existing: Sysid | undefined,
  { client }: Invitation,
  wishes: SysidWishes,
): Omit<Sysid, 'place'> | undefined {
  if (existing !== undefined && existing.name !== client && !wishes.force) {
    throw contradiction(
      'join-other-sysid',
      `the invitation is for host ${quoted(client)}, this host is ${quoted(existing.name)}`,
      existing.place,
      `Ask for an invitation of ${quoted(existing.name)}, use --idfile for another lento on this host, ${OR_FORCE}`,
    );
  }
  const psdev = wishes.psdev ?? existing?.psdev ?? DEFAULT_PSDEV;
  const bindaddr = wishes.bindaddr ?? existing?.bindaddr;
  const same =
    existing?.name === client && existing.psdev === psdev && existing.bindaddr === bindaddr;
  if (same) return undefined;
  return { name: client, psdev, ...(bindaddr === undefined ? {} : { bindaddr }) };
}

type PlainServer = Omit<Server, 'place'>;

export function mergeServers(
  existing: readonly Server[],
  { server }: Invitation,
  force: boolean,
): PlainServer[] | undefined {
  const known = existing.find((each) => each.name === server.name);
  if (known === undefined) return [...existing, server];
  if (known.ipaddr === server.ipaddr && known.port === server.port) return undefined;
  if (!force) {
    throw contradiction(
      'join-other-address',
      `server ${quoted(server.name)} is at ${known.ipaddr} port ${known.port} here, at ${server.ipaddr} port ${server.port} in the invitation`,
      known.place,
      `Correct the address here, invite with \`--host ${known.ipaddr}\`, ${OR_FORCE}`,
    );
  }
  return existing.map((each) => (each === known ? { ...known, ...server } : each));
}

type PlainFileset = Omit<Fileset, 'place'>;

function mergeFileset(
  known: Fileset,
  invited: PlainFileset,
  force: boolean,
): PlainFileset | undefined {
  if (known.servername === invited.servername) {
    // Others may have joined since the invitation, or be lentos on this host: nobody is taken off the list.
    const replicators = [...new Set([...known.replicators, ...invited.replicators])];
    return replicators.length === known.replicators.length ? undefined : { ...known, replicators };
  }
  if (force) return invited;
  throw contradiction(
    'join-other-server',
    `fileset ${quoted(known.name)} is served by ${quoted(known.servername)} here, by ${quoted(invited.servername)} in the invitation`,
    known.places?.servername ?? known.place,
    `Rename one of the two filesets, remove this one, ${OR_FORCE}`,
  );
}

export function mergeFilesets(
  existing: readonly Fileset[],
  { server, filesets }: Invitation,
  force: boolean,
): PlainFileset[] | undefined {
  const merged = new Map<string, PlainFileset>(existing.map((each) => [each.name, each]));
  let changed = false;
  for (const each of filesets) {
    const invited = { ...each, servername: server.name };
    const known = existing.find((fileset) => fileset.name === each.name);
    const result = known === undefined ? invited : mergeFileset(known, invited, force);
    if (result === undefined) continue;
    merged.set(each.name, result);
    changed = true;
  }
  return changed ? [...merged.values()] : undefined;
}
