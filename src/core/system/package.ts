import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Modules are run one by one (tests), compiled, or bundled: they do not know how far below it they are. */
function packageDirectory(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json')) && directory !== '/') {
    directory = dirname(directory);
  }
  return directory;
}

/** Where this izo is installed: what package.json lies in. */
export const PACKAGE = packageDirectory();

/** What node(1) is started with to run a command of this izo. */
export const PROGRAM = join(PACKAGE, 'bin/izo.js');
