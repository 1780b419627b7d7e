import { fstatSync } from 'node:fs';
import { pino, type DestinationStream, type LevelWithSilent, type Logger } from 'pino';
import { humanLine } from './log-format.js';

export interface LoggerOptions {
  /** The scale of the HOWTO: 0 what an operator should know, 1 "many things", 100 "all of it". */
  debuglevel: number;
  /** One JSON object a line. */
  json?: boolean;
  /** Who logs: `lento`, `presto shared`. */
  name: string;
  /** Default: standard error, written to before the call returns, so that a crash loses nothing. */
  destination?: DestinationStream;
}

/** Fields of these names are secret wherever they stand, four levels deep. */
const SECRETS = ['key', 'psk', 'token'];
const SECRET_PATHS = SECRETS.flatMap((name) =>
  [0, 1, 2, 3].map((depth) => '*.'.repeat(depth) + name),
);

const STDERR = 2;

export function levelOf(debuglevel: number): LevelWithSilent {
  if (debuglevel >= 100) return 'trace';
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
  const style = { journal: isJournal(process.env), stacks: debuglevel >= 1 };
  const human: DestinationStream = {
    write: (line) => {
      target.write(humanLine(line, style));
    },
  };
  return pino(
    {
      name,
      level: levelOf(debuglevel),
      base: {},
      serializers: { err: plainError },
      redact: { paths: SECRET_PATHS, censor: '[secret]' },
    },
    json === true ? target : human,
  );
}
