import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FUSE_TYPE } from '../../fuse/port.js';
import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import { otherNamespacesWith } from '../../system/mount-namespaces.js';
import type { MountUser } from '../../system/mount-users.js';
import { findMountAt } from '../../system/mounts.js';
import { isAlive, type MountedState } from './mounted-state.js';

/** How long a presto may do nothing at all: its disk may be busy with what others have written. */
const IDLE_MS = 30_000;
/** The same where it cannot do anything: somebody has stopped it. */
const STOPPED_MS = 1_000;
/** Who waits is told what for after so long. */
const WORDS_MS = 2_000;
/** Between two looks: short at first, a tenth of the time that has passed later. */
const PAUSE_MS = 10;
const PAUSE_MAX_MS = 200;

/** Hears, from time to time, what is waited for. */
export type OnWaiting = (words: string) => void;

/**
 * A presto's signs of life, and those of the disk below: while they change, it gets on. A thread that the kernel has waiting
 * for a disk counts as one: nobody can tell a slow disk from a dead one, and nobody could end that presto either.
 */
class Signs {
  readonly #disk: string | undefined;
  #last = '';
  #since = performance.now();
  /** Of its threads: R, S, D, T ...; see proc_pid_stat(5). */
  #kinds = '';

  constructor(private readonly state: MountedState) {
    // When the lower mount is gone from the tree, it may still have much to write.
    this.#disk = findMountAt(state.lowerPath)?.device;
    this.idleMs();
  }

  /** Looks once more. @returns milliseconds since something was done */
  idleMs(): number {
    const { pid } = this.state;
    const disk = this.#disk === undefined ? '' : read(`/sys/dev/block/${this.#disk}/stat`);
    const signs = read(`/proc/${pid}/io`) + disk;
    this.#kinds = namesIn(`/proc/${pid}/task`)
      .map((thread) => kindOf(read(`/proc/${pid}/task/${thread}/stat`)))
      .join('');
    if (signs !== this.#last || this.#kinds.includes('D')) {
      this.#last = signs;
      this.#since = performance.now();
    }
    return performance.now() - this.#since;
  }

  get isStopped(): boolean {
    return /^[Tt]+$/.test(this.#kinds);
  }

  /** Where it is unmounted here: who has it still. */
  get elsewhere(): MountUser | undefined {
    const { mountPoint, device } = this.state;
    if (findMountAt(mountPoint) !== undefined) return undefined;
    return otherNamespacesWith(({ type, source }) => type === FUSE_TYPE && source === device)[0];
  }

  get words(): string {
    const { pid, device } = this.state;
    const ms = performance.now() - this.#since;
    if (this.isStopped) return `presto (pid ${pid}) is stopped`;
    if (this.#kinds.includes('D')) return `presto (pid ${pid}) waits for the disk with ${device}`;
    if (ms < WORDS_MS) return `presto (pid ${pid}) is at work on ${device}`;
    const elsewhere = this.elsewhere;
    if (elsewhere !== undefined) {
      const { command, pid: holder } = elsewhere;
      return `${device} is still mounted in the mount namespace of ${command} (pid ${holder})`;
    }
    return `presto (pid ${pid}) has done nothing for ${Math.round(ms / 1000)} s`;
  }
}

/** Behind the command's name, which may have any characters. */
function kindOf(stat: string): string {
  return stat.slice(stat.lastIndexOf(')') + 2).charAt(0);
}

/**
 * Waits until `done`, for as long as a presto gets on, or has ended.
 * @param idleMs how long it may do nothing
 * @throws IzoError presto-lingers
 */
export async function waitForPresto(
  state: MountedState,
  done: () => boolean | Promise<boolean>,
  onWaiting: OnWaiting = () => undefined,
  idleMs = IDLE_MS,
): Promise<void> {
  const signs = new Signs(state);
  const begin = performance.now();
  while (isAlive(state.pid) && !(await done())) {
    const idle = signs.idleMs();
    if (idle > (signs.isStopped ? Math.min(STOPPED_MS, idleMs) : idleMs)) {
      throw lingers(state, signs);
    }
    if (performance.now() - begin > WORDS_MS) onWaiting(`waiting: ${signs.words}`);
    await sleep(Math.max(PAUSE_MS, Math.min(PAUSE_MAX_MS, (performance.now() - begin) / 10)));
  }
}

function lingers(state: MountedState, signs: Signs): IzoError {
  const { pid, mountPoint } = state;
  const elsewhere = signs.elsewhere;
  const goOn = signs.isStopped
    ? `Let it go on: kill -CONT ${pid}`
    : elsewhere === undefined
      ? 'Wait for it'
      : `End it there, too: nsenter --mount --target ${elsewhere.pid} umount ${mountPoint}`;
  return new IzoError('presto-lingers', signs.words, {
    exit: EXIT.timeout,
    remedy: `${goOn}. Or cut off who uses it, and end it: izo umountizo --force ${mountPoint}`,
  });
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
