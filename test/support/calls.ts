import assert from 'node:assert/strict';
import { spawn, spawnSync, type SpawnSyncOptions } from 'node:child_process';

/** Asserts that `act` fails with the given error, by its symbolic name. */
export function fails(code: string, act: () => unknown): void {
  assert.equal(outcome(act), code);
}

/** The error's symbolic name, or `ok`. */
export function outcome(act: () => unknown): string {
  try {
    act();
    return 'ok';
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user with an id nobody has on any host. */
export const STRANGER = { uid: 54321, gid: 54322 };

/** Runs a shell script, with its words as $1, $2, ...; the working directory is never in the mount. */
export function sh(script: string, words: readonly string[], options: SpawnSyncOptions = {}): Ran {
  const result = spawnSync('sh', ['-c', script, 'sh', ...words], {
    cwd: '/',
    timeout: 30_000,
    ...options,
    env: { ...process.env, LC_ALL: 'C' },
    encoding: 'utf8',
  });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

/** The same, where it has to end well. @returns what it printed */
export function shOk(script: string, words: readonly string[], options?: SpawnSyncOptions): string {
  const { status, stdout, stderr } = sh(script, words, options);
  assert.equal(status, 0, `${script}: ${stderr || stdout}`);
  return stdout;
}

/** Runs a Node program, several at a time if called so. @returns what it printed; rejects where it fails */
export function node(program: string, words: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', ...words], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`a child failed with ${code ?? 'a signal'}: ${stderr}`));
    });
  });
}
