import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { E, errnoName } from '../system/errno.js';
import { umount } from '../system/mounting.js';
import { usersOf } from '../system/mount-users.js';
import { run } from '../system/processes.js';
import { cleanUnknownMount, findDeadMount } from './dead-mounts.js';
import { isAlive, listMounted, removeMountedState, type MountedState } from './mounted-state.js';

/** How long a presto may take to flush its logs and let go of the cache. */
const ENDING_MS = 60_000;
/** How many of those who keep a mount busy are named. */
const USERS_NAMED = 3;

/**
 * Unmounts a fileset and waits until its presto has let go of everything; cleans up after a presto that was killed.
 * @param lazy also while programs use it: it goes when the last one lets go
 * @throws IzoError busy, umount-failed, presto-lingers
 */
export async function unmountFileset(
  runDir: string,
  state: MountedState,
  lazy = false,
): Promise<void> {
  if (!isAlive(state.pid)) {
    await cleanDeadMount(runDir, state);
    return;
  }
  const result = await umount(state.mountPoint, lazy);
  if (result === -E.EBUSY) throw busy(state.mountPoint, 'is in use');
  // EINVAL: it is not mounted (any more); its presto may be about to end.
  if (result < 0 && result !== -E.EINVAL) {
    throw new IzoError('umount-failed', `${state.mountPoint}: ${errnoName(result)}`);
  }
  if (!lazy) await waitForEnd(state);
}

/** Why a mount cannot be changed, and who keeps it from that. */
export function busy(mountPoint: string, what: string): IzoError {
  const users = usersOf(mountPoint, USERS_NAMED + 1);
  const named = users.slice(0, USERS_NAMED).map(({ pid, command }) => `${command} (pid ${pid})`);
  if (users.length > USERS_NAMED) named.push('others');
  // None: it may be a mount below it, or a process in another mount namespace.
  const by = named.length === 0 ? '' : ` by ${named.join(', ')}`;
  return new IzoError('busy', `${mountPoint} ${what}${by}`, {
    exit: EXIT.busy,
    remedy: `End them, or see all: fuser -vm ${mountPoint}. Or: izo umountizo --lazy ${mountPoint}`,
  });
}

/** Waits until a presto whose mount is gone has flushed its logs and let go of the cache. @throws IzoError presto-lingers */
export async function waitForEnd(state: MountedState): Promise<void> {
  const deadline = Date.now() + ENDING_MS;
  while (isAlive(state.pid)) {
    if (Date.now() > deadline) {
      throw new IzoError('presto-lingers', `presto ${state.pid} does not end`, {
        exit: EXIT.timeout,
        remedy:
          'A slow disk takes its time for what was written last: wait until presto has ended.',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What is left of a presto that was killed: the mount without anybody behind it, the lower mount, the loop device. */
export async function cleanDeadMount(runDir: string, state: MountedState): Promise<void> {
  await umount(state.mountPoint, true);
  await umount(state.lowerPath, true);
  if (state.loopDevice !== undefined) {
    await run('losetup', ['--detach', state.loopDevice], { okCodes: [1] });
  }
  removeMountedState(runDir, state.psdev, state.fileset);
}

/**
 * Unmounts what is mounted at the given places (mount points or caches), or everything; a dead mount that is named also
 * where nothing is written down of it. `before` is what has to succeed before each that is alive. @returns the mount points, each when it is done
 * @throws IzoError not-mounted, and as unmountFileset
 */
export async function* unmountAll(
  runDir: string,
  wanted: readonly string[],
  lazy: boolean,
  before: (state: MountedState) => Promise<void> = () => Promise.resolve(),
): AsyncGenerator<string> {
  const known = listMounted(runDir).flatMap((state) => [state.mountPoint, state.device]);
  const unknown = wanted.flatMap((at) => (known.includes(at) ? [] : (findDeadMount(at) ?? [])));
  const rest = wanted.filter((at) => unknown.every((mount) => mount.mountPoint !== at));
  // Nobody named means everybody: not where all that were named are unknown ones.
  const states = wanted.length > 0 && rest.length === 0 ? [] : selectMounted(runDir, rest);
  for (const mount of unknown) {
    await cleanUnknownMount(runDir, mount);
    yield mount.mountPoint;
  }
  for (const state of states) {
    if (isAlive(state.pid)) await before(state);
    await unmountFileset(runDir, state, lazy);
    yield state.mountPoint;
  }
}

/** Those mounted at the given places, or all. @throws IzoError not-mounted */
function selectMounted(runDir: string, mountPoints: readonly string[]): MountedState[] {
  const all = listMounted(runDir);
  if (mountPoints.length === 0) return all;
  return mountPoints.map((wanted) => {
    const found = all.find((s) => s.mountPoint === wanted || s.device === wanted);
    if (found !== undefined) return found;
    throw new IzoError('not-mounted', `no fileset is mounted at ${wanted}`, {
      exit: EXIT.notRunning,
      remedy: 'See what is: izo status',
    });
  });
}
