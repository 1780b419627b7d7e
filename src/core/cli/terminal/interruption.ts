import type { WriteStream } from 'node:tty';

export type Output = NodeJS.WriteStream | WriteStream;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborted when the user has seen enough: by Ctrl-C or another signal, or because who reads the output is gone. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal = this.#controller.signal;
  readonly #end = (): void => this.end();

  constructor(out: Output) {
    for (const signal of SIGNALS) process.once(signal, this.#end);
    out.once('error', this.#end);
  }

  end(): void {
    this.#controller.abort();
  }

  /** Signals mean what they did before. */
  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.#end);
  }
}
