import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { findMountAt } from '../system/mounts.js';
import { isAlive, type MountedState } from './mounted-state.js';

/** How long a presto may do nothing at all: its disk may be busy with what others have written. */
const IDLE_MS = 30_000;
/** The same where it cannot do anything: somebody has stopped it. */
const STOPPED_MS = 1_000;
/** Who waits is told what for after so long. */
const WORDS_MS = 2_000;
const PAUSE_MS = 10;

/** Hears, from time to time, what is waited for. */
export type OnWaiting = (words: string) => void;

/** A presto's signs of life, and those of the disk below: while they change, it gets on. */
export class Signs {
  readonly #disk: string | undefined;
  #last = '';
  #since = performance.now();

  constructor(private readonly state: MountedState) {
    // When the lower mount is gone from the tree, it may still have much to write.
    this.#disk = findMountAt(state.lowerPath)?.device;
    this.idleMs();
  }

  /** Milliseconds since something was done. */
  idleMs(): number {
    const disk = this.#disk === undefined ? '' : read(`/sys/dev/block/${this.#disk}/stat`);
    const signs = read(`/proc/${this.state.pid}/io`) + disk;
    if (signs !== this.#last) {
      this.#last = signs;
      this.#since = performance.now();
    }
    return performance.now() - this.#since;
  }

  /** R, S, D, T ...: see proc_pid_stat(5). Behind the command's name, which may have any characters. */
  get #kind(): string {
    return read(`/proc/${this.state.pid}/stat`).split(') ').at(-1)?.charAt(0) ?? '';
  }

  get isStopped(): boolean {
    return ['T', 't'].includes(this.#kind);
  }

  get words(): string {
    const { pid, device } = this.state;
    if (this.isStopped) return `presto (pid ${pid}) is stopped`;
    if (this.#kind === 'D') return `presto (pid ${pid}) is waiting for the disk with ${device}`;
    const ms = this.idleMs();
    if (ms < WORDS_MS) return `presto (pid ${pid}) is at work on ${device}`;
    return `presto (pid ${pid}) has done nothing for ${Math.round(ms / 1000)} s`;
  }
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
    await sleep(PAUSE_MS);
  }
}

function lingers(state: MountedState, signs: Signs): IzoError {
  const { pid, mountPoint } = state;
  const goOn = signs.isStopped ? `Let it go on: kill -CONT ${pid}` : 'Wait for it';
  return new IzoError('presto-lingers', signs.words, {
    exit: EXIT.timeout,
    remedy: `${goOn}. Or cut off who uses it, and end it: izo umountizo --force ${mountPoint}`,
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
