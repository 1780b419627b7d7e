import { EXIT } from '../model/exit-codes.js';
import { formatPlace, IzoError, type Place } from '../model/errors.js';
import { sentence, usageWords } from './usage-words.js';

/** What a command that did not succeed tells its user, in text or in JSON. */
export interface Failure {
  /** Stable, lower-case words joined by hyphens. */
  code: string;
  message: string;
  place?: Place | undefined;
  remedy?: string | undefined;
  exit: number;
}

/** What the host, and no mistake of ours, refuses: the words for errors of system calls that every command may meet. */
const OF_THE_HOST: Readonly<Record<string, string>> = {
  ENOSPC: 'Make room on the file system.',
  EDQUOT: 'Make room, or have the quota raised.',
  EROFS: 'The file system is read-only: mount it read-write, or give another directory.',
  EIO: 'The storage fails: see dmesg(1).',
  EMFILE: 'Raise the limit of open files (ulimit -n).',
  ENFILE: 'The host has too many open files.',
  ENOMEM: 'The host has no memory left.',
};

/** Errors of oclif's parser, and what is thrown with `this.error`, are known by their `oclif` property. */
function isOclifError(error: Error): error is Error & { oclif: { exit?: number | false } } {
  return 'oclif' in error && typeof error.oclif === 'object' && error.oclif !== null;
}

function usageFailure(
  error: Error & { oclif: { exit?: number | false } },
  command: string,
): Failure {
  const exit = typeof error.oclif.exit === 'number' ? error.oclif.exit : EXIT.usage;
  const isUsage = exit === EXIT.usage;
  const { message, hint } = usageWords(error);
  return {
    code: isUsage ? 'usage' : 'failed',
    message,
    remedy: isUsage ? `${hint}\`${['izo', command].join(' ').trim()} --help\`.` : undefined,
    exit,
  };
}

function refusalOfTheHost(error: Error): Failure | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return undefined;
  const { message } = error;
  if ((code === 'EACCES' || code === 'EPERM') && process.geteuid?.() !== 0) {
    const remedy = 'Run the command as root.';
    return { code: 'not-permitted', message, remedy, exit: EXIT.notPermitted };
  }
  const remedy = OF_THE_HOST[code];
  return remedy === undefined
    ? undefined
    : { code: code.toLowerCase(), message, remedy, exit: EXIT.failure };
}

/** Tells what was thrown in words for the user of the command. Whatever is not expected is a bug, and called one. */
export function describeFailure(thrown: unknown, command: string): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error instanceof IzoError) {
    const { code, place, remedy, exit } = error;
    // Where a flag is read, oclif has changed it.
    const message = error.message.startsWith('Parsing --')
      ? sentence(error.message)
      : error.message;
    return { code, message, place, remedy, exit };
  }
  if (isOclifError(error)) return usageFailure(error, command);
  // inquirer, when Ctrl-C ends a prompt.
  if (error.name === 'ExitPromptError') {
    return { code: 'cancelled', message: 'cancelled', exit: EXIT.interrupted };
  }
  return (
    refusalOfTheHost(error) ?? {
      code: 'bug',
      message: `unexpected error: ${error.message || error.name} (this is a bug; IZO_DEBUG=1 shows the stack)`,
      exit: EXIT.failure,
    }
  );
}

/** The one paragraph on standard error: `izo COMMAND: [file:line:column: ]message. Try: remedy`. */
export function failureParagraph(failure: Failure, command: string): string {
  const { message, place, remedy } = failure;
  const who = command === '' ? 'izo' : `izo ${command}`;
  const where = place === undefined ? '' : `${formatPlace(place)}: `;
  const what = /[.!?]$/.test(message) ? message : `${message}.`;
  return `${who}: ${where}${what}${remedy === undefined ? '' : ` Try: ${remedy}`}`;
}

/** The same for --json; every key is always there. */
export function failureEnvelope(failure: Failure): { error: Record<string, unknown> } {
  const { code, message, place, remedy, exit } = failure;
  return { error: { code, message, place: place ?? null, remedy: remedy ?? null, exit } };
}

/** Stacks are for those who ask for them. */
export function wantsStack(
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return (env['IZO_DEBUG'] ?? '') !== '' && env['IZO_DEBUG'] !== '0';
}
