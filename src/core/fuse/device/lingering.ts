import { yieldProcessor } from '../../system/mounting.js';
import { LINGERING } from './limits.js';

/**
 * Who has just got an answer mostly asks the next thing at once. To go to sleep and be woken can cost more than that
 * takes: where a processor without work has to be woken as well, several times as much. It can also cost less: where the
 * one who asks waits for the very processor that looks out for him. That depends on machine, load and program, so both
 * ways are tried again and again, and the one with which requests come sooner is used until the next trial.
 *
 * To look means to read the device over and over, and to offer the processor to others each time. A look in vain counts
 * for what it took, so nobody looks out for programs that ask now and then.
 */
export class Lingering {
  /** When there was nothing to read; -1 while there is something. */
  #since = -1;
  #gaveUp = false;
  /** Waits since the trials began: a trial of looking, one of sleeping, then the better one. */
  #waits = 0;
  /** What the waits of the two trials took, in milliseconds. */
  #looking = 0;
  #sleeping = 0;

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly stepBack: () => void = yieldProcessor,
  ) {}

  get #looks(): boolean {
    if (this.#waits < LINGERING.trial) return true;
    return this.#waits >= 2 * LINGERING.trial && this.#looking < this.#sleeping;
  }

  /** A request was read. */
  arrived(): void {
    if (this.#since < 0) return;
    const took = Math.min(this.now() - this.#since, LINGERING.longMs);
    const cost = this.#gaveUp ? took + LINGERING.lookMs : took;
    this.#since = -1;
    this.#gaveUp = false;
    if (this.#waits < LINGERING.trial) this.#looking += cost;
    else if (this.#waits < 2 * LINGERING.trial) this.#sleeping += cost;
    this.#waits++;
    if (this.#waits < LINGERING.round) return;
    this.#waits = 0;
    this.#looking = 0;
    this.#sleeping = 0;
  }

  /** There was nothing to read. @returns whether to look again, after others had their chance. */
  again(): boolean {
    if (this.#since < 0) this.#since = this.now();
    if (!this.#looks || this.#gaveUp) return false;
    // Once more after the time is up: others may have taken all of it.
    this.#gaveUp = this.now() - this.#since >= LINGERING.lookMs;
    this.stepBack();
    return true;
  }
}
