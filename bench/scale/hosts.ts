import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Host } from '../../src/core/demo/host.js';
import { FILESET } from '../harness/lower.js';

/** Of the image: mke2fs makes an inode for each 16 KiB of it. It is sparse. */
const BYTES_A_FILE = 24 * 1024;
const BYTES_LEAST = 2 ** 30;

/** A host with a cache that has room for so many files; nothing is mounted. */
export async function makeHost(root: string, files: number): Promise<Host> {
  mkdirSync(root, { recursive: true });
  const host = new Host({ name: 'host', root, address: '127.0.0.1', namespace: undefined });
  const size = String(BYTES_LEAST + files * BYTES_A_FILE);
  await host.izo(['mkizofs', '--size', size, '-v', FILESET, host.image]);
  return host;
}

export const treeIn = (root: string): string => join(root, 'tree');
