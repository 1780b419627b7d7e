import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../src/core/demo/host.js';
import { listMounted, type MountedState } from '../../src/core/presto/mounting/mounted-state.js';
import { isRunning, run } from '../../src/core/system/processes.js';
import type { Random } from '../sim/random.js';
import { FILESET, type Lan } from './lan.js';
import type { Workers } from './workers.js';

/** What may happen to a host. Each ends by itself, and leaves the host as it was. */
export type Fault =
  | 'cut'
  | 'silence'
  | 'kill-lento'
  | 'kill-presto'
  | 'restart-lento'
  | 'remount'
  | 'fill-disk'
  | 'pause-lento'
  | 'pause-presto';

/** How long the faults that last, last at the most. */
const LONGEST_MS: Readonly<Record<Fault, number>> = {
  cut: 12_000,
  silence: 12_000,
  'kill-lento': 3_000,
  'kill-presto': 1_000,
  'restart-lento': 3_000,
  remount: 3_000,
  'fill-disk': 6_000,
  'pause-lento': 8_000,
  'pause-presto': 3_000,
};

const FILLER = 'soak-filler';

/** One host of the run: what can be done to it, and the programs on it. */
export class Station {
  constructor(
    private readonly lan: Lan,
    readonly host: Host,
    readonly workers: Workers,
    /** What was found wrong on the way. */
    private readonly complain: (line: string) => void,
    /** Ends what lasts. */
    private readonly hurry: AbortSignal,
  ) {}

  get state(): MountedState {
    const [state] = listMounted(this.host.runDir);
    if (state === undefined) throw new Error(`nothing is mounted on ${this.host.name}`);
    return state;
  }

  /** Does one thing to the host, and makes it good again. */
  async suffer(fault: Fault, random: Random): Promise<void> {
    const ms = random.below(LONGEST_MS[fault]);
    const pause = (): Promise<void> => this.#pause(ms);
    switch (fault) {
      case 'cut':
        return this.#cut('link', pause);
      case 'silence':
        return this.#cut('plug', pause);
      case 'kill-lento':
        return this.#withoutLento('SIGKILL', pause);
      case 'restart-lento':
        return this.#withoutLento('SIGTERM', pause);
      case 'kill-presto':
        return this.#killPresto(pause);
      case 'remount':
        return this.#remount(pause);
      case 'fill-disk':
        return this.#fill(random.below(200_000), pause);
      case 'pause-lento':
        return this.#stopped(this.host.lento?.pid, pause);
      case 'pause-presto':
        return this.#stopped(this.state.pid, pause);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.hurry }).catch(() => undefined);
  }

  async #cut(end: 'link' | 'plug', pause: () => Promise<void>): Promise<void> {
    await this.lan.setLink(this.host, end, 'down');
    await pause();
    await this.lan.setLink(this.host, end, 'up');
  }

  async #withoutLento(signal: 'SIGKILL' | 'SIGTERM', pause: () => Promise<void>): Promise<void> {
    await this.host.stopLento(signal);
    await pause();
    await this.host.startLento();
  }

  async #killPresto(pause: () => Promise<void>): Promise<void> {
    const { pid } = this.state;
    process.kill(pid, 'SIGKILL');
    while (isRunning(pid)) await sleep(20);
    await this.#workersGone();
    await pause();
    await this.host.mount(FILESET);
    this.workers.start();
  }

  async #remount(pause: () => Promise<void>): Promise<void> {
    await this.#workersGone('SIGTERM');
    await this.host.izo(['umountizo', this.host.mountPoint]);
    await pause();
    await this.host.mount(FILESET);
    this.workers.start();
  }

  async #workersGone(signal?: 'SIGTERM'): Promise<void> {
    for (const line of await this.workers.end(signal)) this.complain(line);
  }

  /** Somebody else fills up the disk of the cache, but for so many bytes. */
  async #fill(left: number, pause: () => Promise<void>): Promise<void> {
    const filler = join(this.state.lowerPath, '.intermezzo', FILLER);
    // It ends with "No space left on device".
    await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=256k', 'status=none'], { okCodes: [1] });
    await run('truncate', ['-s', `-${left}`, filler], { okCodes: [1] });
    await pause();
    await run('rm', ['-f', filler]);
  }

  async #stopped(pid: number | undefined, pause: () => Promise<void>): Promise<void> {
    if (pid === undefined) return;
    process.kill(pid, 'SIGSTOP');
    await pause();
    process.kill(pid, 'SIGCONT');
  }
}
