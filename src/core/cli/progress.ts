/** The part of a terminal that progress needs; process.stderr is one. */
export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** A command with --json is silent. */
  json?: boolean;
  stream?: ProgressStream;
  now?: () => number;
}

const INTERVAL_MS = 100;
const CLEAR_LINE = '\r\u001b[K';

/**
 * One line on standard error that says how far the work is, rewritten in place. It is silent where nobody watches: no
 * terminal, or --json. Text of other origin must come between `clear` and the next `update`.
 */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #isOn: boolean;
  #lastShown = -Infinity;
  #isShown = false;

  constructor({ json = false, stream = process.stderr, now = Date.now }: ProgressOptions = {}) {
    this.#stream = stream;
    this.#now = now;
    this.#isOn = stream.isTTY === true && !json && process.env['TERM'] !== 'dumb';
  }

  /** Shows the text, at most ten times a second. */
  update(text: string): void {
    if (!this.#isOn) return;
    const now = this.#now();
    if (now - this.#lastShown < INTERVAL_MS) return;
    this.#lastShown = now;
    this.#isShown = true;
    // A wrapped line could not be cleared.
    const room = Math.max(10, (this.#stream.columns ?? 80) - 1);
    this.#stream.write(CLEAR_LINE + text.replaceAll(/\p{Cc}/gu, '?').slice(0, room));
  }

  /** Removes the line. Progress may go on later. */
  clear(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#lastShown = -Infinity;
    this.#stream.write(CLEAR_LINE);
  }
}

/** `312 of 4000 (7 %)`; without a known total, the count alone. */
export function amount(done: number, total?: number): string {
  if (total === undefined || total <= 0) return String(done);
  return `${done} of ${total} (${Math.floor((Math.min(done, total) / total) * 100)} %)`;
}
