import { readdirSync } from 'node:fs';
import { isReservedAtRoot } from '../../model/names.js';
import { Attr } from '../../system/attr.js';
import { stat } from '../../system/files.js';
import type { LowerTree } from './lower-tree.js';
import { pathOf, type Node } from './node.js';

const attr = new Attr();

/**
 * A path of the object, as records have it; undefined where it has no name any more. Names that the kernel never asked for
 * are not known: a file that has lost those that are may have others, and then its changes are to be journaled.
 */
export function anyPathOf(tree: LowerTree, node: Node): string | undefined {
  const known = pathOf(node);
  if (known !== undefined) return known;
  if (tree.stat(node, attr) < 0 || attr.nlink === 0 || node.isDirectory) return undefined;
  return findByInode(tree.table.root.fd, node.ino);
}

/**
 * Searches the lower tree for a name of an inode. Costs a walk of the tree: only for files whose known names are gone.
 * @returns a path as records have it, or undefined.
 */
export function findByInode(rootFd: number, ino: number): string | undefined {
  const pending: string[] = [''];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const found = searchDirectory(rootFd, directory, ino, pending);
    if (found !== undefined) return found;
  }
  return undefined;
}

function searchDirectory(
  rootFd: number,
  directory: string,
  ino: number,
  pending: string[],
): string | undefined {
  const path = Buffer.from(`/proc/self/fd/${rootFd}/${directory}`, 'latin1');
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    const name = Buffer.from(entry.name as unknown as Uint8Array).toString('latin1');
    if (directory === '' && isReservedAtRoot(name)) continue;
    const child = directory === '' ? name : `${directory}/${name}`;
    if (entry.isDirectory()) pending.push(child);
    else if (inodeOf(rootFd, child) === ino) return child;
  }
  return undefined;
}

function inodeOf(rootFd: number, path: string): number {
  return stat(rootFd, path, attr) < 0 ? -1 : attr.ino;
}
