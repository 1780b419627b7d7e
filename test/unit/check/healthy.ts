import type { HostFacts, PathFacts } from '../../../src/core/check/facts.js';
import { pairsHere } from '../../../src/core/check/keys.js';
import { configuredFiles, type Survey } from '../../../src/core/check/survey.js';
import { keyPath } from '../../../src/core/config/index.js';

export const FILE: PathFacts = { kind: 'file', mode: 0o644, uid: 0, size: 100, occupied: 4096 };
export const DIRECTORY: PathFacts = { ...FILE, kind: 'directory', mode: 0o755 };

/** A host on which everything is as the files want it. */
export function healthyHost(survey: Survey): HostFacts {
  const { sysids, servers, fstab, configDir } = survey;
  const bound = [...sysids, ...servers].flatMap(({ bindaddr }) => bindaddr ?? []);
  const keys = pairsHere(survey).map((id) => ({ id, file: keyPath(id), trouble: undefined }));
  const cache = {
    ...FILE,
    mode: 0o600,
    size: 2 ** 30,
    hasJournal: true,
    plainMount: undefined,
    isServed: false,
    room: 2 ** 40,
    trouble: undefined,
  };
  return {
    isRoot: true,
    euid: 0,
    node: 'v20.15.0',
    addresses: ['127.0.0.1', ...bound],
    hasFuse: true,
    hasLoop: true,
    missingPrograms: [],
    mountHelpers: fstab.types,
    now: Date.UTC(2026, 0, 1),
    newest: { what: survey.files.sysid, at: Date.UTC(2025, 11, 31) },
    openFiles: 524_288,
    runDir: '/run/intermezzo',
    stateDir: '/var/intermezzo',
    running: new Set(sysids.map(({ name }) => name)),
    ports: [],
    paths: new Map([
      ...configuredFiles(survey).map((path) => [path, FILE] as const),
      ...[configDir, '/run/intermezzo', '/var/intermezzo'].map(
        (path) => [path, DIRECTORY] as const,
      ),
    ]),
    mountPoints: new Map(
      fstab.mounts.map(({ mountPoint }) => [
        mountPoint,
        { ...DIRECTORY, names: 0, mounted: undefined, answer: 'answers' },
      ]),
    ),
    caches: new Map(
      fstab.mounts.map(({ spec, mount }) => {
        const type = mount.cacheType ?? 'ext3';
        const here = fstab.mounts.filter((each) => each.spec === spec);
        const filesets = here.map((each) => each.mount.fileset ?? '-unnamed-');
        return [spec, { ...cache, contents: { type, words: type }, filesets }];
      }),
    ),
    keys,
    keyFiles: keys.map(({ file }) => file.split('/').at(-1) ?? ''),
  };
}
