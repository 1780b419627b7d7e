import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { IzoError } from '../model/errors.js';

/** Which Debian package has a program that izo calls. */
const PACKAGES: Readonly<Record<string, string>> = {
  mke2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  losetup: 'mount',
  mount: 'mount',
  blkid: 'util-linux',
  blockdev: 'util-linux',
  nsenter: 'util-linux',
  ip: 'iproute2',
};

const OUTPUT_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

export interface RunOptions {
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Exit codes that are no failure, besides 0. */
  readonly okCodes?: readonly number[];
  /** Added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** It is to come to its end: Ctrl-C does not reach it, nor does it end with this process. */
  readonly detached?: boolean;
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
  const result = await execa(program, args, {
    env: { ...options.env, PATH: searchPath(), LC_ALL: 'C' },
    timeout: options.timeoutMs ?? TIMEOUT_MS,
    maxBuffer: OUTPUT_BYTES,
    reject: false,
    detached: options.detached ?? false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const { stdout, stderr, exitCode } = result;
  if (exitCode !== undefined && [0, ...(options.okCodes ?? [])].includes(exitCode)) {
    return { stdout, stderr, code: exitCode };
  }
  if (result.code === 'ENOENT') throw missing(program, result.cause);
  const how = result.timedOut
    ? 'took too long'
    : result.isMaxBuffer
      ? 'wrote too much'
      : `failed with ${exitCode ?? result.signal ?? result.code ?? 'no reason'}`;
  const words = stderr.trim() || stdout.trim();
  const said = words === '' ? '' : `: ${words}`;
  // `ip netns failed` tells more than `ip failed`, `mke2fs -t failed` does not.
  const what = [program, ...args.slice(0, 1).filter((word) => !word.startsWith('-'))].join(' ');
  throw new IzoError('program-failed', `${what} ${how}${said}`, { cause: result.cause });
}

/** mount(8) gives its helpers next to no PATH, and what izo calls is in sbin. */
export function searchPath(): string {
  const given = process.env['PATH'] ?? '';
  return [given, '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin']
    .filter(Boolean)
    .join(':');
}

/** The Debian package of a program. */
export function packageOf(program: string): string {
  return PACKAGES[program] ?? program;
}

function missing(program: string, cause: unknown): IzoError {
  return new IzoError('no-program', `the program ${program} is not installed`, {
    remedy: `apt-get install ${packageOf(program)}`,
    cause,
  });
}

/**
 * Whether a process is there and has not ended. One that its parent has not waited for yet has: on a busy machine, process 1
 * may take its time for that.
 */
export function isRunning(pid: number): boolean {
  const { ended, threads } = lookAt(pid);
  // The first thread may have ended before the others.
  return !ended || threads > 1;
}

/** Whether a process is there of which the first thread has ended, and others have not: so it is while it is killed. */
export function isDying(pid: number): boolean {
  const { ended, threads } = lookAt(pid);
  return ended && threads > 1;
}

function lookAt(pid: number): { ended: boolean; threads: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat.slice(stat.lastIndexOf(')') + 2).charAt(0);
    return { ended: 'ZX'.includes(state), threads: readdirSync(`/proc/${pid}/task`).length };
  } catch {
    return { ended: true, threads: 0 };
  }
}
