import { fstatSync } from 'node:fs';
import { pino, type DestinationStream, type LevelWithSilent, type Logger } from 'pino';
import { humanLine } from './log-format.js';

export interface LoggerOptions {
  /** On the scale of the HOWTO; see DebugLevel. */
  debuglevel: number | DebugLevel;
  /** One JSON object a line. */
  json?: boolean;
  /** Who logs: `lento`, `presto shared`. */
  name: string;
  /** Default: standard error, written to before the call returns, so that a crash loses nothing. */
  destination?: DestinationStream;
}

/** How much is logged, on the scale of the HOWTO: 0 what an operator should know, 1 "many things", 100 "all of it". */
export class DebugLevel {
  #level: number;
  readonly #listeners: ((level: number) => void)[] = [];

  /** `configured`: what it is at the start. */
  constructor(readonly configured: number) {
    this.#level = configured;
  }

  get level(): number {
    return this.#level;
  }

  set(level: number): void {
    this.#level = level;
    for (const listener of this.#listeners) listener(level);
  }

  onChange(listener: (level: number) => void): void {
    this.#listeners.push(listener);
  }
}

/** Fields of these names are secret wherever they stand, four levels deep. */
const SECRETS = ['key', 'psk', 'token'];
const SECRET_PATHS = SECRETS.flatMap((name) =>
  [0, 1, 2, 3].map((depth) => '*.'.repeat(depth) + name),
);

const STDERR = 2;

export function isAllOfIt(debuglevel: number): boolean {
  return debuglevel >= 100;
}

export function levelOf(debuglevel: number): LevelWithSilent {
  if (isAllOfIt(debuglevel)) return 'trace';
  return debuglevel >= 1 ? 'debug' : 'info';
}

/**
 * Whether standard error leads to systemd's journal. The variable alone does not say so: children inherit it when
 * their output goes elsewhere (systemd.exec(5)).
 */
function isJournal(env: Readonly<Record<string, string | undefined>>): boolean {
  const stream = env['JOURNAL_STREAM'];
  if (stream === undefined || stream === '') return false;
  try {
    const { dev, ino } = fstatSync(STDERR, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

function standardError(): DestinationStream {
  const stream = pino.destination({ fd: STDERR, sync: true });
  // A daemon goes on when the terminal it was started from is closed.
  stream.on('error', () => undefined);
  return stream;
}

/** What an error carries besides may be anything: a Buffer in it ends the process, for pino's redaction cannot take it. */
function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = pino.stdSerializers.err(error);
  return { type, message, stack, ...('code' in error ? { code: error.code } : {}) };
}

/** Makes a logger. It writes to standard error: standard output is for the results of commands. */
export function makeLogger({ debuglevel, json, name, destination }: LoggerOptions): Logger {
  const target = destination ?? standardError();
  const debug = typeof debuglevel === 'number' ? new DebugLevel(debuglevel) : debuglevel;
  const journal = isJournal(process.env);
  const human: DestinationStream = {
    write: (line) => {
      target.write(humanLine(line, { journal, stacks: debug.level >= 1 }));
    },
  };
  const logger = pino(
    {
      name,
      level: levelOf(debug.level),
      base: {},
      serializers: { err: plainError },
      redact: { paths: SECRET_PATHS, censor: '[secret]' },
    },
    json === true ? target : human,
  );
  debug.onChange((level) => {
    logger.level = levelOf(level);
  });
  return logger;
}
