import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from '../../src/core/system/processes.js';

/** Programs that are compared or used, and that not every host has. */

export interface Program {
  readonly name: string;
  /** Debian's package of it. */
  readonly package: string;
  /** The arguments by which it says its version. */
  readonly version: readonly string[];
}

const INSTALL_MS = 300_000;

export function isInstalled({ name }: Program): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Which of the programs can be used; those that are missing are installed where that is `wanted`, else left out.
 * @param say told a line about each that is left out
 */
export async function available(
  programs: readonly Program[],
  wanted: boolean,
  say: (line: string) => void,
): Promise<Set<string>> {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length > 0 && wanted) await install(missing.map((program) => program.package));
  const found = programs.filter((program) => isInstalled(program));
  for (const { name, package: from } of programs) {
    if (found.some((program) => program.name === name)) continue;
    say(`without ${name}, which is not installed: --install gets it (Debian: ${from})`);
  }
  return new Set(found.map(({ name }) => name));
}

async function install(packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, timeoutMs: INSTALL_MS };
  await run('apt-get', ['update', '-q'], options);
  await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], options);
}

/** What the program says its version is, as short as it says it; `undefined` where it is not there. */
export async function versionOf(program: Program): Promise<string | undefined> {
  if (!isInstalled(program)) return undefined;
  const { stdout, stderr } = await run(program.name, program.version, { okCodes: [1, 2] });
  return /^.*?\d+\.\d\S*/.exec(stdout || stderr)?.[0];
}
