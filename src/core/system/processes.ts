import { execa, ExecaError } from 'execa';
import { IzoError } from '../model/errors.js';

/** Which Debian package has a program that izo calls. */
const PACKAGES: Readonly<Record<string, string>> = {
  mke2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  losetup: 'mount',
  blkid: 'util-linux',
  nsenter: 'util-linux',
  ip: 'iproute2',
};

const OUTPUT_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

export interface RunOptions {
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Exit codes that are no failure. Default: 0. */
  readonly okCodes?: readonly number[];
  /** Added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/**
 * Runs a program to its end, without a shell and with messages in English.
 * @throws IzoError no-program, program-failed: with the program's own words
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  try {
    const {
      stdout,
      stderr,
      exitCode = 0,
    } = await execa(program, args, {
      env: { ...options.env, LC_ALL: 'C' },
      timeout: options.timeoutMs ?? TIMEOUT_MS,
      maxBuffer: OUTPUT_BYTES,
      ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return { stdout, stderr, code: exitCode };
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const { exitCode } = error;
    const stdout = String(error.stdout ?? '');
    const stderr = String(error.stderr ?? '');
    if (exitCode !== undefined && options.okCodes?.includes(exitCode) === true) {
      return { stdout, stderr, code: exitCode };
    }
    throw explain(program, args, error, stderr || stdout);
  }
}

function explain(
  program: string,
  args: readonly string[],
  error: ExecaError,
  words: string,
): IzoError {
  if (error.code === 'ENOENT') {
    const name = PACKAGES[program] ?? program;
    return new IzoError('no-program', `the program ${program} is not installed`, {
      remedy: `apt-get install ${name}`,
      cause: error,
    });
  }
  const how = error.timedOut
    ? 'took too long'
    : `failed with ${error.exitCode ?? error.signal ?? '?'}`;
  const said = words.trim() === '' ? '' : `: ${words.trim()}`;
  return new IzoError('program-failed', `${program} ${args[0] ?? ''} ${how}${said}`, {
    cause: error,
  });
}
