import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE } from '../system/package.js';

/** How izo is started, by absolute paths that are true below the root. */
export interface Program {
  readonly node: string;
  readonly script: string;
}

/** Where the pages of the package are. */
export const MAN_DIRECTORY = join(PACKAGE, 'man');

/** The PATH of what systemd and init start, and with it of mount(8). */
const STANDARD_PATH = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];

/** A path as it is called once `root` is the root directory. */
function below(root: string, path: string): string {
  return root !== '/' && path.startsWith(`${root}/`) ? path.slice(root.length) : path;
}

export function thisProgram(root: string): Program {
  return { node: below(root, process.execPath), script: below(root, join(PACKAGE, 'bin/izo.js')) };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Whether `#!/usr/bin/env node` finds this Node also where nobody has set a PATH. */
export function isNodeInPath(): boolean {
  const found = STANDARD_PATH.map((directory) => realPath(join(directory, 'node')));
  return found.find((path) => path !== undefined) === realPath(process.execPath);
}
