import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assertPrinted } from '../support/schemas.js';

/** The built program, as users run it. */
export const IZO = fileURLToPath(new URL('../../bin/izo.js', import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  input?: string;
  /** Default: IZO. */
  program?: string;
}

/** Runs izo to its end. Standard input is no terminal, and the environment has no variable of izo but those given. */
export async function izo(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('IZO_'));
  const child = spawn(process.execPath, [options.program ?? IZO, ...args], {
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: 'pipe',
  });
  const finished: Finished = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (finished.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (finished.stderr += text));
  // A command that does not read its input may have ended before.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      try {
        if (options.program === undefined) assertPrinted(args, finished.stdout);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      resolve({ ...finished, code });
    });
  });
}
