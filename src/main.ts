import { execute } from '@oclif/core';
import { argumentsFor } from './core/cli/old-names.js';

/** Runs the command that `argv` (as of process.argv) names. */
export async function main([, calledAs = '', ...args]: string[]): Promise<void> {
  await execute({ dir: import.meta.url, args: argumentsFor(calledAs, args) });
}
