import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Which parts to run. */
  readonly parts: readonly string[];
  /** Smaller amounts: minutes instead of tens of minutes. */
  readonly quick: boolean;
  /** Where the results are written as JSON. */
  readonly json: string | undefined;
  /** Get from Debian what is not installed. */
  readonly install: boolean;
  /** Only rows whose name matches. */
  readonly only: RegExp | undefined;
  readonly rounds: number;
  /** Where images and working files are made. */
  readonly directory: string;
}

export const ROUNDS_MIN = 5;
const ROUNDS_MAX = 1000;

export const USAGE = `npm run bench -- [PART...] [--quick] [--json FILE] [--install] [--only PATTERN] [--rounds N] [--dir DIR]

  PART       the parts to run; all where none is named
  --quick    smaller amounts
  --json     write all samples, versions and settings to FILE
  --install  get what is not installed from Debian
  --only     only rows whose name matches the regular expression
  --rounds   measurements of each row (at least ${ROUNDS_MIN}, which is the default)
  --dir      where images and working files go (default: the directory for temporary files)`;

/** The command line cannot be understood: the message says why. */
export class UsageError extends Error {}

/** @throws UsageError */
export function parseOptions(
  args: readonly string[],
  known: readonly string[],
  temporary: string,
): BenchOptions {
  const { values, positionals } = parse(args);
  const unknown = positionals.filter((part) => !known.includes(part));
  if (unknown.length > 0) {
    throw new UsageError(`there is no part ${unknown.join(', ')}; there are ${known.join(', ')}`);
  }
  return {
    parts: positionals.length === 0 ? known : positionals,
    quick: values.quick ?? false,
    json: values.json,
    install: values.install ?? false,
    only: values.only === undefined ? undefined : pattern(values.only),
    rounds: values.rounds === undefined ? ROUNDS_MIN : numberOfRounds(values.rounds),
    directory: values.dir ?? temporary,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        json: { type: 'string' },
        install: { type: 'boolean' },
        only: { type: 'string' },
        rounds: { type: 'string' },
        dir: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new UsageError(`--only ${text} is no regular expression`);
  }
}

function numberOfRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= ROUNDS_MIN && rounds <= ROUNDS_MAX) return rounds;
  throw new UsageError(`--rounds must be a number from ${ROUNDS_MIN} to ${ROUNDS_MAX}`);
}
