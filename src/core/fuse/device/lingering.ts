import { yieldProcessor } from '../../system/mounting.js';
import { LINGERING } from './limits.js';

export interface LingeringOptions {
  readonly now?: () => number;
  /** Lets others run. */
  readonly stepBack?: () => void;
  /** Goes to the processor of the one who asks. */
  readonly approach?: () => void;
}

/**
 * Who has just got an answer mostly asks the next thing at once. To go to sleep and be woken can cost more than that
 * takes: where a processor without work has to be woken as well, several times as much. It can also cost less: where the
 * one who asks waits for the very processor that looks out for him. That depends on machine, load and program, so both
 * ways are tried again and again, and the one with which requests come sooner is used until the next trial.
 *
 * To look means to read the device over and over, and to offer the processor to others each time. A look in vain counts
 * for what it took, so nobody looks out for programs that ask now and then.
 *
 * Where many programs want the processors, to offer this one means to wait until they all had their turn, and the one who
 * asks waits, too: who sleeps would have been woken before them. So when others have twice taken the processor for long, and
 * nobody had asked anything when it came back, that was enough of looking for this round; and the next trial comes later.
 *
 * One look out begins at the processor of the one who asks. Two that take turns on one processor cost each other nothing;
 * on two of them each wakes the other's up every time, which in a virtual machine is dearer than most requests. The
 * kernel leaves them where they are: what has just become idle seems the better place to it.
 */
export class Lingering {
  /** When there was nothing to read; -1 while there is something. */
  #since = -1;
  #gaveUp = false;
  /** The processor was away for long when it was offered last. */
  #wasAway = false;
  /** How often it was away in vain since the trials began. */
  #crowds = 0;
  /** Rounds without trials after one in which that was enough. */
  #patience = 0;
  #resting = 0;
  /** Waits since the trials began: a trial of looking, one of sleeping, then the better one. */
  #waits = 0;
  /** What the waits of the two trials took, in milliseconds. */
  #looking = 0;
  #sleeping = 0;

  readonly #now: () => number;
  readonly #stepBack: () => void;
  readonly #approach: () => void;

  constructor({ now, stepBack, approach }: LingeringOptions = {}) {
    this.#now = now ?? (() => performance.now());
    this.#stepBack = stepBack ?? yieldProcessor;
    this.#approach = approach ?? (() => undefined);
  }

  get #looks(): boolean {
    if (this.#crowds >= LINGERING.crowds || this.#resting > 0) return false;
    if (this.#waits < LINGERING.trial) return true;
    return this.#waits >= 2 * LINGERING.trial && this.#looking < this.#sleeping;
  }

  /** A request was read. */
  arrived(): void {
    if (this.#since < 0) return;
    const took = Math.min(this.#now() - this.#since, LINGERING.longMs);
    const cost = this.#gaveUp ? took + LINGERING.lookMs : took;
    this.#since = -1;
    this.#gaveUp = false;
    this.#wasAway = false;
    if (this.#waits === 0) this.#approach();
    if (this.#waits < LINGERING.trial) this.#looking += cost;
    else if (this.#waits < 2 * LINGERING.trial) this.#sleeping += cost;
    this.#waits++;
    if (this.#waits === LINGERING.round) this.#nextRound();
  }

  #nextRound(): void {
    const crowded = this.#crowds >= LINGERING.crowds;
    if (this.#resting > 0) this.#resting--;
    else {
      this.#patience = crowded ? Math.min(2 * this.#patience + 1, LINGERING.restMax) : 0;
      this.#resting = this.#patience;
    }
    this.#waits = 0;
    this.#looking = 0;
    this.#sleeping = 0;
    this.#crowds = 0;
  }

  /** There was nothing to read. @returns whether to look again, after others had their chance. */
  again(): boolean {
    const now = this.#now();
    if (this.#since < 0) this.#since = now;
    if (this.#wasAway) {
      this.#wasAway = false;
      this.#gaveUp = true;
      this.#crowds++;
    }
    if (!this.#looks || this.#gaveUp) return false;
    // Once more after the time is up: others may have taken all of it.
    this.#gaveUp = now - this.#since >= LINGERING.lookMs;
    this.#stepBack();
    this.#wasAway = this.#now() - now >= LINGERING.longMs;
    return true;
  }
}
