import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { keyDirectory, keyPath, readKey } from '../../config/index.js';
import { askStatus } from '../../lento/service/control-client.js';
import { IzoError } from '../../model/errors.js';
import { packageOf, searchPath } from '../../system/processes.js';
import type { HostFacts, KeyFacts, MountPointFacts, PathFacts } from '../facts.js';
import { pairsHere } from '../keys.js';
import { configuredFiles, type Survey } from '../survey.js';
import { probeCache } from './caches.js';
import { namesIn, probeMountPoint, probePath } from './paths.js';
import { probePorts } from './ports.js';

/** What mkizofs, mount and umountizo run. */
const PROGRAMS = ['mke2fs', 'debugfs', 'e2fsck', 'losetup', 'mount', 'blkid', 'blockdev'];

export interface ProbeOptions {
  runDir: string;
  stateDir: string;
}

/** A device node may be there without its driver: only opening it tells. */
function canOpen(device: string): boolean {
  try {
    closeSync(openSync(device, 'r+'));
    return true;
  } catch {
    return false;
  }
}

function isInstalled(program: string): boolean {
  return searchPath()
    .split(':')
    .some((directory) => existsSync(join(directory, program)));
}

/** The hard limit: presto raises its own to that. */
function openFilesLimit(): number {
  const [, hard] =
    /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return hard === undefined || hard === 'unlimited' ? Infinity : Number(hard);
}

async function whoRuns({ sysids }: Survey, runDir: string): Promise<Set<string>> {
  const running = new Set<string>();
  for (const { name } of sysids) {
    try {
      await askStatus(runDir, name);
      running.add(name);
    } catch (error) {
      // One that does not answer in time runs all the same.
      if (error instanceof IzoError && error.code === 'timeout') running.add(name);
      else if (!(error instanceof IzoError)) throw error;
    }
  }
  return running;
}

function probeKeys(survey: Survey): KeyFacts[] {
  return pairsHere(survey).map((id) => {
    const file = keyPath(id);
    try {
      readKey(id);
      return { id, file, trouble: undefined };
    } catch (error) {
      if (!(error instanceof IzoError)) throw error;
      const { code, message, remedy = '' } = error;
      return { id, file, trouble: { code, message, remedy } };
    }
  });
}

/** Of what cannot be looked at, others say why. */
function changedAt(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

/** The file that was changed last tells the least that the clock must say. */
function newestOf(paths: readonly string[]): HostFacts['newest'] {
  let newest: HostFacts['newest'];
  for (const what of paths) {
    const at = changedAt(what);
    if (at !== undefined && at > (newest?.at ?? 0)) newest = { what, at };
  }
  return newest;
}

/** Looks at the host, and changes nothing. */
export async function probeHost(survey: Survey, options: ProbeOptions): Promise<HostFacts> {
  const { runDir, stateDir } = options;
  const { configDir, fstab } = survey;
  const isRoot = process.geteuid?.() === 0;
  const keys = probeKeys(survey);
  const configured = configuredFiles(survey);
  const paths = new Map<string, PathFacts>();
  const keyPaths = keys.map(({ file }) => file);
  for (const path of [
    ...[runDir, stateDir, configDir, keyDirectory(configDir)],
    ...[...configured, ...configured.map((file) => dirname(file)), ...keyPaths],
  ]) {
    paths.set(path, probePath(path));
  }
  const running = await whoRuns(survey, runDir);
  const caches = new Map<string, Awaited<ReturnType<typeof probeCache>>>();
  for (const { spec } of fstab.mounts) {
    // What UUID= and LABEL= mean is mount(8)'s business.
    if (spec.startsWith('/')) caches.set(spec, await probeCache(spec, runDir));
  }
  const mountPoints = new Map<string, MountPointFacts>();
  for (const { mountPoint } of fstab.mounts) {
    mountPoints.set(mountPoint, await probeMountPoint(mountPoint));
  }
  return {
    isRoot,
    euid: process.geteuid?.() ?? 0,
    node: process.version,
    addresses: Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).map(({ address }) => address),
    ),
    hasFuse: canOpen('/dev/fuse'),
    hasLoop: isRoot ? canOpen('/dev/loop-control') : existsSync('/dev/loop-control'),
    missingPrograms: PROGRAMS.filter((program) => !isInstalled(program)).map((program) => ({
      program,
      package: packageOf(program),
    })),
    mountHelpers: new Set([...fstab.types].filter((type) => existsSync(`/sbin/mount.${type}`))),
    now: Date.now(),
    newest: newestOf([...configured, process.execPath]),
    openFiles: openFilesLimit(),
    runDir,
    stateDir,
    running,
    ports: probePorts(survey, running),
    paths,
    mountPoints,
    caches,
    keys,
    keyFiles: namesIn(keyDirectory(configDir)),
  };
}
