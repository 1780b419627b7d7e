import { formatPlace, IzoError } from '../model/errors.js';
import type { FileToWrite } from '../system/atomic-file.js';
import type { ConfigurationOptions } from './config-files.js';
import { loadConfiguration, mustFindFileset, roleOf, type Configuration } from './configuration.js';
import { configFileToWrite, formatFsetdb } from './format.js';
import type { Fileset } from './fsetdb.js';
import { encodeInvitation } from './invitation.js';
import { findKey, makeKey, keyFileToWrite, type KeyId } from './keys.js';
import { saveConfigFiles } from './save.js';
import type { Server } from './serverdb.js';
import { listed, quoted } from './suggest.js';
import { presentText } from './text-file.js';
import { checkAddress, checkName, type Check } from './values.js';

export interface InviteOptions extends ConfigurationOptions {
  /** Name of the host to be let in, as its sysid will say it. */
  client: string;
  /** Default: all filesets this host serves. */
  filesets?: readonly string[];
  /** The address by which the client reaches this host, where it is not the `ipaddr` of serverdb. */
  host?: string;
  /** Make a new key even if there is one; the token of before is worthless then. */
  newKey?: boolean;
}

export interface InviteResult {
  /** Secret: for the client's eyes only. */
  token: string;
  filesets: string[];
  /** Files that were written. */
  changed: string[];
}

/** Checks an argument of a command. */
function mustCheck<T>(text: string, check: Check<T>): T {
  const checked = check(text);
  if ('value' in checked) return checked.value;
  const { code, message, remedy } = checked.refusal;
  throw new IzoError(code, message, { remedy });
}

function notServer(config: Configuration, message: string): IzoError {
  const served = [...config.filesets.keys()].filter((name) => roleOf(config, name) === 'server');
  return new IzoError('not-server', message, {
    place: { file: config.files.fsetdb },
    remedy:
      served.length === 0
        ? 'Run the command on the server of the fileset, or describe a fileset with `izo inconfig` first.'
        : `This host serves ${listed(served)}.`,
  });
}

function chooseFilesets(config: Configuration, names?: readonly string[]): Fileset[] {
  const { name: self } = config.sysid;
  if (names === undefined || names.length === 0) {
    const served = [...config.filesets.values()].filter((each) => each.servername === self);
    if (served.length === 0) throw notServer(config, `host ${quoted(self)} serves no fileset`);
    return served;
  }
  return [...new Set(names)].map((name) => {
    const fileset = mustFindFileset(config, name);
    if (fileset.servername === self) return fileset;
    const message = `fileset ${quoted(name)} is served by ${quoted(fileset.servername)}, not by this host, ${quoted(self)}`;
    throw notServer(config, message);
  });
}

function ownServer(config: Configuration): Server {
  const server = config.servers.get(config.sysid.name);
  if (server === undefined)
    throw new Error('a served fileset has a server: the cross checks say so');
  return server;
}

function withClient(fileset: Fileset, client: string): Fileset {
  if (fileset.replicators.includes(client)) return fileset;
  return { ...fileset, replicators: [...fileset.replicators, client] };
}

/** The fsetdb with the client among the replicators of the filesets; nothing where it is there already. */
function fsetdbWith(config: Configuration, chosen: readonly Fileset[]): FileToWrite[] {
  if (chosen.every((each) => config.filesets.get(each.name) === each)) return [];
  const filesets = new Map(config.filesets);
  for (const fileset of chosen) filesets.set(fileset.name, fileset);
  const file = config.files.fsetdb;
  return [configFileToWrite(file, formatFsetdb(filesets.values(), file, presentText(file)))];
}

/**
 * Lets a client in, on the server: notes it as a replicator, makes the key of the pair, and returns the token for
 * `izo join`. Inviting again changes nothing and returns the same key.
 * @throws IzoError where the configuration is wrong or this host does not serve the filesets
 */
export function invite(options: InviteOptions): InviteResult {
  const config = loadConfiguration(options);
  const client = mustCheck(options.client, checkName);
  if (client === config.sysid.name) {
    throw new IzoError('self-replicator', `${quoted(client)} is this host`, {
      place: config.sysid.place,
      remedy: `Invite another name: this host's is in ${formatPlace(config.sysid.place)}.`,
    });
  }
  const chosen = chooseFilesets(config, options.filesets).map((each) => withClient(each, client));
  const { name, ipaddr, port, bindaddr } = ownServer(config);
  const address = options.host === undefined ? ipaddr : mustCheck(options.host, checkAddress);
  const id: KeyId = { configDir: config.configDir, client, server: name, side: 'server' };
  const existing = options.newKey === true ? undefined : findKey(id);
  const key = existing ?? makeKey();
  const files = fsetdbWith(config, chosen);
  const token = encodeInvitation({
    server: { name, ipaddr: address, port, ...(bindaddr === undefined ? {} : { bindaddr }) },
    client,
    key,
    filesets: chosen,
  });
  if (existing === undefined) files.unshift(keyFileToWrite(id, key));
  saveConfigFiles(files);
  return {
    token,
    filesets: chosen.map((each) => each.name),
    changed: files.map(({ path }) => path),
  };
}
