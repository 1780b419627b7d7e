import { resolve } from 'node:path';
import { IzoError, type Place } from '../../model/errors.js';
import type { Answers, MountAnswer, Removal } from '../answers/answers.js';
import { DEFAULT_IDFILE } from '../config-files.js';
import { crossCheck } from '../cross-checks.js';
import { formatFsetdb, formatServerdb, formatSysid } from '../format.js';
import type { Fileset } from '../fsetdb.js';
import { mustRead } from '../problem.js';
import { didYouMean, listed, quoted } from '../suggest.js';
import type { Sysid } from '../sysid.js';
import type { Existing } from './existing.js';
import { editFstab } from './fstab-edit.js';
import { checkHost, type HostFacts } from './host-checks.js';
import { checkMounts } from './mount-checks.js';
import type { Pair, Plan, PlannedFile, PlannedMount } from './planned.js';

/** What is there, with the answers in the place of those of the same name, without what is removed. */
function merged<T extends { name: string; place: Place }>(
  existing: readonly T[],
  answered: readonly T[],
  removals: readonly Removal[],
): T[] {
  const all = new Map(existing.map((each) => [each.name, each]));
  for (const each of answered) all.set(each.name, each);
  for (const { kind, name, place } of removals) {
    if (all.delete(name)) continue;
    throw new IzoError(`unknown-${kind}`, `there is no ${kind} ${quoted(name)} to remove`, {
      place,
      remedy: `${didYouMean(name, all.keys())}There are: ${listed(all.keys())}.`,
    });
  }
  return [...all.values()];
}

function planMounts(answers: Answers, existing: Existing, facts: HostFacts): PlannedMount[] {
  const [first] = answers.sysids;
  const own = first ?? existing.sysids.get(existing.idfile);
  return answers.mounts.map((answer: MountAnswer) => {
    const prestodev = answer.prestodev ?? own?.psdev;
    if (prestodev === undefined) {
      throw new IzoError(
        'no-psdev',
        `nothing says by which psdev ${quoted(answer.mtpt)} is served`,
        {
          place: answer.place,
          remedy: 'Add a sysid, or prestodev=/dev/intermezzo0 to the mount.',
        },
      );
    }
    const { fileset, cache, mtpt, cacheType, options, size, place } = answer;
    const loop = !facts.isBlockDevice(cache);
    return { fileset, cache, mtpt, prestodev, cacheType, loop, options, size, place };
  });
}

function removedMounts(answers: Answers, existing: Existing): string[] {
  return answers.removals
    .filter(({ kind }) => kind === 'mount')
    .map(({ name, place }) => {
      const known = existing.mounts.map(({ mtpt }) => mtpt);
      if (known.includes(name)) return name;
      throw new IzoError('unknown-mount', `no line of InterMezzo mounts at ${quoted(name)}`, {
        place,
        remedy: `${existing.fstab} has ${listed(known)}.`,
      });
    });
}

/**
 * The lentos of this host: those that are answered, the one that is meant, the first one. Other sysid files may be those
 * of other hosts, where several share the directory.
 */
function ownSysids(answers: Answers, { configDir, idfile, sysids }: Existing): Map<string, Sysid> {
  const own = new Map<string, Sysid>();
  for (const path of [resolve(configDir, DEFAULT_IDFILE), idfile]) {
    const sysid = sysids.get(path);
    if (sysid !== undefined) own.set(path, sysid);
  }
  for (const { file, ...sysid } of answers.sysids) own.set(resolve(configDir, file), sysid);
  return own;
}

/** The pairs that are invited, and those that both live here. */
function pairsOf(answers: Answers, sysids: Iterable<Sysid>, filesets: readonly Fileset[]): Pair[] {
  const own = new Set([...sysids].map(({ name }) => name));
  const pairs = filesets
    .filter(({ servername }) => own.has(servername))
    .flatMap(({ servername: server, replicators }) =>
      replicators.map((client) => ({ client, server, isLocal: own.has(client) })),
    );
  for (const { name, place } of answers.invitations) {
    if (pairs.some(({ client }) => client === name)) continue;
    const clients = [...new Set(pairs.map(({ client }) => client))];
    throw new IzoError('not-replicator', `${quoted(name)} replicates no fileset of this host`, {
      place,
      remedy: `${didYouMean(name, clients)}Those that do: ${listed(clients)}. Name it as a replicator of a fileset.`,
    });
  }
  const invited = new Set(answers.invitations.map(({ name }) => name));
  const wanted = pairs
    .map((pair) => ({ ...pair, isInvited: invited.has(pair.client) }))
    .filter(({ isLocal, isInvited }) => isLocal || isInvited);
  return [...new Map(wanted.map((pair) => [`${pair.client}@${pair.server}`, pair])).values()];
}

type Put = (path: string, format: (before: string | undefined) => string) => void;

function filesOf(existing: Existing): { files: PlannedFile[]; put: Put } {
  const files: PlannedFile[] = [];
  const put: Put = (path, format) => {
    const before = existing.texts.get(path);
    const after = format(before);
    if (after !== before) files.push({ path, before, after });
  };
  return { files, put };
}

/**
 * What the answers make of what is there. Nothing is written.
 * @throws IzoError: the first thing that would be wrong, with its place
 */
export function planConfiguration(answers: Answers, existing: Existing, facts: HostFacts): Plan {
  const { configDir, serverdb, fsetdb, fstab } = existing;
  const removed = (kind: Removal['kind']) => answers.removals.filter((each) => each.kind === kind);
  const sysids = ownSysids(answers, existing);
  const servers = merged(existing.servers, answers.servers, removed('server'));
  const filesets = merged(existing.filesets, answers.filesets, removed('fileset'));
  const mounts = planMounts(answers, existing, facts);
  const gone = removedMounts(answers, existing);
  const databases = { files: { sysid: existing.idfile, serverdb, fsetdb }, servers, filesets };
  const problems = [
    ...crossCheck(databases),
    ...checkHost({ sysids: [...sysids.values()], servers, filesets }, facts),
    ...checkMounts({ mounts, gone, existing, sysids: [...sysids.values()], filesets }),
  ];
  mustRead({ value: true, problems });
  const { files, put } = filesOf(existing);
  if (answers.servers.length + removed('server').length > 0) {
    put(serverdb, (text) => formatServerdb(servers, serverdb, text));
  }
  if (answers.filesets.length + removed('fileset').length > 0) {
    put(fsetdb, (text) => formatFsetdb(filesets, fsetdb, text));
  }
  // Last, because a host with a sysid counts as configured.
  for (const { file, ...sysid } of answers.sysids) {
    const path = resolve(configDir, file);
    put(path, (text) => formatSysid(sysid, path, text));
  }
  if (mounts.length + gone.length > 0) {
    put(fstab, (text = '') => editFstab(fstab, text, mounts, gone));
  }
  const pairs = pairsOf(answers, sysids.values(), filesets);
  return { configDir, files, sysids, servers, filesets, mounts, pairs, warnings: problems };
}
