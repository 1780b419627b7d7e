import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SOCKET_SUFFIX } from '../../psdev/messages.js';

/**
 * What is mounted, written down by each presto for commands to find: `<run>/<psdev>/<fileset>.json`. A presto that was
 * killed leaves its file behind, and that is how its remains are found.
 */
export interface MountedState {
  readonly psdev: string;
  readonly fileset: string;
  readonly pid: number;
  /** The image file or block device. */
  readonly device: string;
  readonly mountPoint: string;
  readonly lowerPath: string;
  readonly loopDevice: string | undefined;
}

const SUFFIX = '.json';

export function socketPath(runDir: string, psdev: string, fileset: string): string {
  return join(runDir, psdev, `${fileset}${SOCKET_SUFFIX}`);
}

/** Where commands find a running presto. */
export function prestoControlPath(
  runDir: string,
  { psdev, fileset }: Pick<MountedState, 'psdev' | 'fileset'>,
): string {
  return join(runDir, psdev, `${fileset}.ctl`);
}

function statePath(runDir: string, psdev: string, fileset: string): string {
  return join(runDir, psdev, `${fileset}${SUFFIX}`);
}

export function writeMountedState(runDir: string, state: MountedState): void {
  mkdirSync(join(runDir, state.psdev), { recursive: true, mode: 0o700 });
  const path = statePath(runDir, state.psdev, state.fileset);
  // Not synced, which could wait for all that others have written: after a crash of the host nothing is mounted.
  writeFileSync(`${path}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removeMountedState(runDir: string, psdev: string, fileset: string): void {
  rmSync(statePath(runDir, psdev, fileset), { force: true });
  rmSync(socketPath(runDir, psdev, fileset), { force: true });
  rmSync(prestoControlPath(runDir, { psdev, fileset }), { force: true });
}

/** All that is mounted, or was by a presto that is dead. */
export function listMounted(runDir: string): MountedState[] {
  const found: MountedState[] = [];
  for (const psdev of namesIn(runDir)) {
    for (const name of namesIn(join(runDir, psdev))) {
      if (!name.endsWith(SUFFIX)) continue;
      const state = read(join(runDir, psdev, name));
      if (state !== undefined) found.push(state);
    }
  }
  return found;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(path: string): MountedState | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    const text = (key: string) => (typeof value[key] === 'string' ? value[key] : undefined);
    const psdev = text('psdev');
    const fileset = text('fileset');
    const device = text('device');
    const mountPoint = text('mountPoint');
    const lowerPath = text('lowerPath');
    const { pid } = value;
    if (!psdev || !fileset || !device || !mountPoint || !lowerPath || typeof pid !== 'number') {
      return undefined;
    }
    return { psdev, fileset, pid, device, mountPoint, lowerPath, loopDevice: text('loopDevice') };
  } catch {
    return undefined;
  }
}

/** True while the presto that wrote the state lives. Its pid may belong to another process by now. */
export function isAlive(pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    return words.includes(PRESTO_COMMAND);
  } catch {
    return false;
  }
}

/** The command of a presto process; its request follows as JSON. */
export const PRESTO_COMMAND = 'presto';
