import { splitPath } from '../../model/names.js';
import { Attr } from '../../system/attr.js';
import { E } from '../../system/errno.js';
import type { Node } from './node.js';
import type { NodeTable } from './node-table.js';

const attr = new Attr();

/**
 * Walks a path of a record from the fileset's root, name by name and never through a link, so that it cannot leave the
 * fileset. The path has been checked to consist of valid names. @returns the node, or a negated errno.
 */
export function resolve(table: NodeTable, path: string): Node | number {
  if (path === '') return table.root;
  let node = table.root;
  for (const name of path.split('/')) {
    if (!node.isDirectory) return -E.ENOTDIR;
    const child = table.known(node, name) ?? table.find(node, name, attr);
    if (typeof child === 'number') return child;
    node = child;
  }
  return node;
}

/** The directory of a path and its last name. */
export function resolveParent(
  table: NodeTable,
  path: string,
): { parent: Node; name: string } | number {
  const { directory, name } = splitPath(path);
  const parent = resolve(table, directory);
  if (typeof parent === 'number') return parent;
  return parent.isDirectory ? { parent, name } : -E.ENOTDIR;
}
