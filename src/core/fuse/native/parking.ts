/** Requests that wait for the permit, in the order in which they came. Each says whether it is done now. */
export class Parking {
  #waiting: (() => boolean)[] = [];
  #busy = false;
  #resumeWanted = false;

  get size(): number {
    return this.#waiting.length;
  }

  /** Serves a new request. From inside of it nothing else is resumed. */
  serve(attempt: () => boolean): void {
    this.#busy = true;
    const done = attempt();
    this.#busy = false;
    if (!done) this.#waiting.push(attempt);
    if (this.#resumeWanted) {
      this.#resumeWanted = false;
      this.resume();
    }
  }

  /** Presents all again, oldest first. Who asks for it during a pass gets it in a later turn of the event loop. */
  resume(): void {
    if (this.#busy) {
      this.#resumeWanted = true;
      return;
    }
    this.#busy = true;
    this.#waiting = this.#waiting.filter((attempt) => !attempt());
    this.#busy = false;
    if (!this.#resumeWanted) return;
    this.#resumeWanted = false;
    setImmediate(() => {
      this.resume();
    });
  }
}
