import { fileURLToPath } from 'node:url';
import { Config, flush, handle, run } from '@oclif/core';
import { tell, unknownCommand } from './core/cli/command-not-found.js';
import { argumentsFor } from './core/cli/old-names.js';
import { watchOutput } from './core/cli/terminal/output.js';

/** What a home directory holds is no part of a program that root runs, and it may not be readable. */
const PROGRAM = { root: fileURLToPath(import.meta.url), userPlugins: false, devPlugins: false };

/** Runs the command that `argv` (as of process.argv) names. */
export async function main([, calledAs = '', ...args]: string[]): Promise<void> {
  watchOutput();
  const words = argumentsFor(calledAs, args);
  try {
    await run(words, PROGRAM);
    void flush();
  } catch (error) {
    await handle(await ending(error, words));
  }
}

/** What a command throws has been told; help and what comes before commands throw in oclif's words. */
async function ending(thrown: unknown, words: readonly string[]): Promise<Error> {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if ('code' in error && error.code === 'EEXIT') return error;
  const [, unknown] = /^Command (.+) not found\.$/.exec(error.message) ?? [];
  if (unknown === undefined) return tell(error, words);
  return unknownCommand(unknown.split(/[: ]/), words, await Config.load(PROGRAM));
}
