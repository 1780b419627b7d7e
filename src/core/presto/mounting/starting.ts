import type { Readable } from 'node:stream';
import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import type { BindingKind } from './bindings.js';

/**
 * What presto writes to the pipe of whoever started it, a line each: `progress` and words, as often as it likes; then
 * `ready` and its binding, or its error as JSON.
 */
const PROGRESS = 'progress ';
const READY = 'ready ';
/** A line so often at the most. */
const PROGRESS_MS = 200;
/** How long a presto may give no sign of life: a file system that is slow to mount included. */
const SILENT_MS = 120_000;

/** Whoever has started presto and waits until the mount answers. */
export interface Starter {
  /** Before `ready`: how far the work is. The words are only asked for where somebody gets them. */
  progress(words: () => string): void;
  ready(binding: BindingKind): void;
  failed(error: unknown): void;
}

/** At the other end of a pipe. `write` may throw: who started it has not waited. */
export function starterBehind(write: (line: string) => void, now = Date.now): Starter {
  let last = -Infinity;
  const tell = (line: string): void => {
    try {
      write(`${line}\n`);
    } catch {
      // Who started it is gone. The log has all that matters.
    }
  };
  return {
    progress: (words) => {
      const at = now();
      if (at - last < PROGRESS_MS) return;
      last = at;
      tell(PROGRESS + words().replaceAll('\n', ' '));
    },
    ready: (binding) => {
      tell(READY + binding);
    },
    failed: (error) => {
      const known =
        error instanceof IzoError ? error : new IzoError('presto-failed', String(error));
      const { code, message, exit, place, remedy } = known;
      tell(JSON.stringify({ code, message, exit, place, remedy }));
    },
  };
}

/**
 * Waits until presto is ready. @param exited resolves when it has ended, to what to say of that
 * @throws IzoError presto's own; presto-failed where it ended without a word; presto-silent
 */
export async function untilReady(
  pipe: Readable,
  exited: Promise<string>,
  onProgress: (words: string) => void,
  silentMs = SILENT_MS,
): Promise<BindingKind> {
  let timer: NodeJS.Timeout | undefined;
  const last = await new Promise<string | undefined>((resolve, reject) => {
    const expectMore = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => reject(silent(silentMs)), silentMs);
    };
    let text = '';
    pipe.setEncoding('utf8');
    pipe.on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith(PROGRESS)) onProgress(line.slice(PROGRESS.length));
        else resolve(line);
      }
      expectMore();
    });
    pipe.once('end', () => resolve(undefined));
    expectMore();
  }).finally(() => clearTimeout(timer));
  if (last === undefined) {
    throw new IzoError('presto-failed', await exited);
  }
  if (last === `${READY}device`) return 'device';
  if (last === `${READY}native`) return 'native';
  throw parseError(last);
}

function silent(ms: number): IzoError {
  const words = `presto has given no sign of life for ${ms / 1000} seconds`;
  return new IzoError('presto-silent', words, { exit: EXIT.timeout });
}

function parseError(line: string): IzoError {
  const value = JSON.parse(line) as {
    code: string;
    message: string;
    exit: IzoError['exit'];
    place?: IzoError['place'];
    remedy?: string;
  };
  const { code, message, exit, place, remedy } = value;
  return new IzoError(code, message, {
    exit,
    ...(place === undefined ? {} : { place }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
