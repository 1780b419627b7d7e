import { isUtf8 } from 'node:buffer';
import type { DirectorySink } from '../port.js';

const KIND_SHIFT = 12;
const STAT_WORDS = 18;
const MODE_AT = 0;
const INO_AT = 7;

/** Text of bytes; undefined where they are none: fuse-native passes names on as JavaScript strings only. */
export function textOf(bytes: string): string | undefined {
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString('utf8') : undefined;
}

/** A whole directory, as libfuse 2 wants it: names, and of each its kind and inode number as a stat. */
export class Listing implements DirectorySink {
  readonly plus = false;
  readonly room = Infinity;
  names: string[] = [];
  stats: Uint32Array[] = [];
  /** A name that cannot be given: then the directory cannot be listed, for a listing without it would be wrong. */
  unspeakable: string | undefined;

  clear(): void {
    this.names = [];
    this.stats = [];
    this.unspeakable = undefined;
  }

  add(name: string, ino: number, type: number): boolean {
    const text = textOf(name);
    if (text === undefined) {
      this.unspeakable = name;
      return false;
    }
    const stat = new Uint32Array(STAT_WORDS);
    stat[MODE_AT] = type << KIND_SHIFT;
    stat[INO_AT] = ino;
    this.names.push(text);
    this.stats.push(stat);
    return true;
  }

  addBytes(from: Buffer, at: number, length: number, ino: number, type: number): boolean {
    return this.add(from.toString('latin1', at, at + length), ino, type);
  }
}
