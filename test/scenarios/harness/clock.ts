interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/** Time passes when it is told to. */
export class Clock {
  now = 0;
  #timers: Timer[] = [];

  /** @returns a function that takes it back. */
  at(time: number, work: () => void): () => void {
    const timer = { at: Math.max(time, this.now + 1), work };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  after(ms: number, work: () => void): () => void {
    return this.at(this.now + ms, work);
  }

  /** The next timer's time, if it is not after `until`. Moves there and runs it. @returns false where there is none. */
  step(until: number): boolean {
    const [next] = this.#timers.toSorted((a, b) => a.at - b.at);
    if (next === undefined || next.at > until) {
      this.now = until;
      return false;
    }
    this.#timers = this.#timers.filter((other) => other !== next);
    this.now = next.at;
    next.work();
    return true;
  }
}
