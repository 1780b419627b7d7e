/** Those who wait until something about a state is so. */
export class Waiters {
  #waiting: { condition: () => boolean; resolve: () => void; reject: (error: Error) => void }[] =
    [];

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ condition, resolve, reject });
    });
  }

  /** To be called when the state has changed. */
  check(): void {
    if (this.#waiting.length === 0) return;
    const still = this.#waiting.filter(({ condition, resolve }) => {
      if (!condition()) return true;
      resolve();
      return false;
    });
    this.#waiting = still;
  }

  fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
