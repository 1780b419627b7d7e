import { dirname } from 'node:path';
import { keyDirectory, keyPath, quoted, type KeyId } from '../config/index.js';
import type { Fix, Tell } from './diagnostic.js';
import type { HostFacts } from './facts.js';
import { closing } from './host.js';
import type { Survey } from './survey.js';

/** The pairs of hosts that share a fileset, of which one is a lento of this host. */
export function pairsHere({ configDir, sysids, filesets }: Survey): KeyId[] {
  const here = new Set(sysids.map(({ name }) => name));
  const pairs = new Map<string, KeyId>();
  for (const { servername: server, replicators } of filesets) {
    for (const client of replicators) {
      if (client === server || !(here.has(server) || here.has(client))) continue;
      const id: KeyId = { configDir, client, server, side: here.has(server) ? 'server' : 'client' };
      pairs.set(keyPath(id), id);
    }
  }
  return [...pairs.values()];
}

/** What is wrong with the keys of this host. */
export function checkKeys(survey: Survey, facts: HostFacts, tell: Tell): void {
  for (const { file, trouble } of facts.keys) {
    if (trouble === undefined) continue;
    const { code, message, remedy } = trouble;
    const fixes = code === 'key-mode' ? closeKey(file, facts) : [];
    tell({ code, message, place: { file }, remedy, fixes });
  }
  // Whose keys are needed is not known.
  if (!survey.isWhole.fsetdb || !survey.isWhole.sysid) return;
  const wanted = new Set(facts.keys.map(({ file }) => file));
  const directory = keyDirectory(survey.configDir);
  for (const name of facts.keyFiles) {
    const file = `${directory}/${name}`;
    // Anything else there is not called like a key.
    if (wanted.has(file) || !/^[^@]+@[^@]+$/.test(name)) continue;
    const [client = '', server = ''] = name.split('@');
    tell({
      code: 'key-unused',
      message: `${quoted(client)} replicates no fileset of ${quoted(server)} that this host has a part in`,
      place: { file },
      remedy: `Remove it if the two have parted for good: rm ${file}`,
    });
  }
}

/** For a regular file and its directory; anything else than a wrong mode or owner is left to a human. */
function closeKey(file: string, facts: HostFacts): Fix[] {
  const found = facts.paths.get(file);
  if (found?.kind !== 'file') return [];
  const directory = dirname(file);
  const above = facts.paths.get(directory);
  return [
    ...(above?.kind === 'directory' ? closing(directory, above, 0o700) : []),
    ...closing(file, found, 0o600),
  ];
}
