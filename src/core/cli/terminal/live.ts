import { setTimeout as sleep } from 'node:timers/promises';
import { Interruption, type Output } from './interruption.js';

const ALTERNATE_ON = '\u001b[?1049h\u001b[?25l';
const ALTERNATE_OFF = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const TO_END_OF_LINE = '\u001b[K';
const TO_END = '\u001b[J';

export interface LiveOptions {
  readonly out: Output;
  readonly seconds: number;
  /** So often; for ever where nothing is said. */
  readonly count?: number | undefined;
  /** One after the other, also on a terminal. */
  readonly plain?: boolean;
  /** What is shown each time. */
  readonly lines: () => Promise<readonly string[]>;
}

/**
 * Shows something again and again until Ctrl-C: on a terminal in place, in a screen of its own that is gone afterwards; into
 * anything else one after the other.
 */
export async function showLive(options: LiveOptions): Promise<void> {
  const { out, seconds, count = Infinity, plain = false, lines } = options;
  const stop = new Interruption(out);
  const isTerminal = !plain && 'columns' in out && out.isTTY;
  let shown: readonly string[] = [];
  const draw = (): void => {
    out.write(isTerminal ? screenOf(shown, out.columns, out.rows) : `${shown.join('\n')}\n`);
  };
  if (isTerminal) {
    out.write(ALTERNATE_ON);
    out.on('resize', draw);
  }
  try {
    for (let left = count; !stop.signal.aborted;) {
      shown = await lines();
      draw();
      if (--left <= 0) break;
      await sleep(seconds * 1000, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    if (isTerminal) {
      out.off('resize', draw);
      out.write(ALTERNATE_OFF);
    }
    stop.release();
  }
}

/** What is assumed of a terminal that does not know its size, as a serial line does not: it says 0. */
const COLUMNS = 80;
const ROWS = 24;

/** Everything written over what was there: nothing is cleared first, so nothing flickers. */
export function screenOf(lines: readonly string[], columns: number, rows: number): string {
  const fitting = lines
    .slice(0, rows || ROWS)
    .map((line) => line.slice(0, columns || COLUMNS) + TO_END_OF_LINE);
  return `${HOME}${fitting.join('\r\n')}${TO_END}`;
}
