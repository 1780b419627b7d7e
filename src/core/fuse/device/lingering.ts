import { yieldProcessor } from '../../system/mounting.js';
import { LOOKS, LOOKS_MS, NO_LOOKS_MS } from './limits.js';

/**
 * Who has just got an answer mostly asks the next thing at once. Going to sleep and being woken costs more than it takes
 * him; so the device is looked at a few times more before that, and the processor offered to others each time. Where
 * somebody takes the offer for long the machine is busy: who sleeps then is woken sooner than who only stands back.
 */
export class Lingering {
  #looks = 0;
  #since = 0;
  #notBefore = 0;

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly stepBack: () => void = yieldProcessor,
  ) {}

  /** A request was served, or is about to be. */
  begin(): void {
    this.#looks = 0;
  }

  /** There was nothing to read. @returns whether to look again, after others had their chance. */
  again(): boolean {
    if (this.#looks === 0) {
      this.#since = this.now();
      if (this.#since < this.#notBefore) return false;
    }
    if (this.#looks === LOOKS) return false;
    this.#looks++;
    this.stepBack();
    const at = this.now();
    if (at - this.#since <= LOOKS_MS) return true;
    this.#notBefore = at + NO_LOOKS_MS;
    this.#looks = LOOKS;
    return true;
  }
}
