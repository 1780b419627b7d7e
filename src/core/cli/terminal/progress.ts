/** The part of a terminal that progress needs; process.stderr is one. */
export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** A command with --json is silent. */
  json?: boolean;
  /** Without a terminal: a line of its own so often, the first after as long; none where this is missing. */
  lineMs?: number;
  stream?: ProgressStream;
  now?: () => number;
}

const INTERVAL_MS = 100;
/** For what may take minutes: who reads a log of it later wants to see that it went on. */
export const PROGRESS_LINE_MS = 10_000;
const CLEAR_LINE = '\r\u001b[K';

/**
 * One line on standard error that says how far the work is, rewritten in place. It is silent where nobody watches: no
 * terminal (but see `lineMs`), or --json. Text of other origin must come between `clear` and the next `update`.
 */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #isOn: boolean;
  readonly #lineMs: number;
  #lastShown = -Infinity;
  #isShown = false;

  constructor({
    json = false,
    lineMs = Infinity,
    stream = process.stderr,
    now = Date.now,
  }: ProgressOptions = {}) {
    this.#stream = stream;
    this.#now = now;
    this.#isOn = stream.isTTY === true && !json && process.env['TERM'] !== 'dumb';
    this.#lineMs = json ? Infinity : lineMs;
    if (!this.#isOn) this.#lastShown = now();
  }

  /** Shows the text, at most ten times a second. */
  update(text: string): void {
    const now = this.#now();
    if (now - this.#lastShown < (this.#isOn ? INTERVAL_MS : this.#lineMs)) return;
    this.#lastShown = now;
    if (!this.#isOn) {
      this.#stream.write(`${clean(text)}\n`);
      return;
    }
    this.#isShown = true;
    // A wrapped line could not be cleared.
    const room = Math.max(10, (this.#stream.columns ?? 80) - 1);
    this.#stream.write(CLEAR_LINE + clean(text).slice(0, room));
  }

  /** Removes the line. Progress may go on later. */
  clear(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#lastShown = -Infinity;
    this.#stream.write(CLEAR_LINE);
  }
}

function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}

/** `312 of 4000 (7 %)`; without a known total, the count alone. */
export function amount(done: number, total?: number): string {
  if (total === undefined || total <= 0) return String(done);
  return `${done} of ${total} (${Math.floor((Math.min(done, total) / total) * 100)} %)`;
}
