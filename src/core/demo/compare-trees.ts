import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type BigIntStats,
} from 'node:fs';
import { IDENTITY_XATTR } from '../cache/identity.js';
import { must } from '../system/errno.js';
import { Memory } from '../system/native.js';
import { getxattrAt, listxattrAt } from '../system/xattrs.js';

/** What two trees have, and where they differ. */
export interface Comparison {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly others: number;
  /** Bytes of the regular files. */
  readonly bytes: number;
  /** One line each, at most DIFFERENCES_MAX. */
  readonly differences: readonly string[];
}

const DIFFERENCES_MAX = 50;
const CHUNK_BYTES = 1024 * 1024;
/** The longest value, and the longest list of names. */
const XATTR_BYTES = 65536;

/**
 * Compares everything that a replica has to keep: names, kinds, modes, owners, modification times to the nanosecond,
 * extended attributes with the ACLs, contents, link targets, devices, and which names are hard links of one file.
 */
export function compareTrees(left: string, right: string): Comparison {
  return new TreeComparison(left, right).run();
}

class TreeComparison {
  readonly #differences: string[] = [];
  readonly #counts = { files: 0, directories: 0, links: 0, others: 0, bytes: 0 };
  /** Inodes with several names: the path at which each was first met. */
  readonly #leftNames = new Map<bigint, string>();
  readonly #rightNames = new Map<bigint, string>();
  readonly #a = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #b = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #memory = new Memory(XATTR_BYTES);
  readonly #leftRoot: number;
  readonly #rightRoot: number;

  constructor(
    private readonly left: string,
    private readonly right: string,
  ) {
    this.#leftRoot = openSync(left, 'r');
    this.#rightRoot = openSync(right, 'r');
  }

  run(): Comparison {
    try {
      this.#compare('');
    } finally {
      closeSync(this.#leftRoot);
      closeSync(this.#rightRoot);
    }
    return { ...this.#counts, differences: this.#differences };
  }

  #differ(path: string, what: string): void {
    if (this.#differences.length < DIFFERENCES_MAX)
      this.#differences.push(`${path || '.'}: ${what}`);
  }

  #paths(path: string): [Buffer, Buffer] {
    const end = path === '' ? '' : `/${path}`;
    return [Buffer.from(this.left + end, 'latin1'), Buffer.from(this.right + end, 'latin1')];
  }

  #compare(path: string): void {
    const [l, r] = this.#paths(path);
    const a = lstatSync(l, { bigint: true });
    const b = lstatSync(r, { bigint: true });
    if ((a.mode & 0o170000n) !== (b.mode & 0o170000n)) {
      this.#differ(path, 'another kind of file');
      return;
    }
    this.#attributes(path, a, b);
    if (a.isDirectory()) {
      this.#counts.directories++;
      this.#directory(path, l, r);
    } else if (a.isSymbolicLink()) {
      this.#counts.links++;
      const same = readlinkSync(l, 'buffer').equals(readlinkSync(r, 'buffer'));
      if (!same) this.#differ(path, 'another link target');
    } else if (a.isFile()) {
      this.#counts.files++;
      this.#counts.bytes += Number(a.size);
      if (a.size !== b.size) this.#differ(path, `size ${a.size} and ${b.size}`);
      else if (!this.#sameContents(l, r)) this.#differ(path, 'other contents');
    } else {
      this.#counts.others++;
      if (a.rdev !== b.rdev) this.#differ(path, 'another device');
    }
  }

  #attributes(path: string, a: BigIntStats, b: BigIntStats): void {
    const octal = (mode: bigint) => (mode & 0o7777n).toString(8);
    if (a.mode !== b.mode) this.#differ(path, `mode ${octal(a.mode)} and ${octal(b.mode)}`);
    if (a.uid !== b.uid || a.gid !== b.gid) {
      this.#differ(path, `owner ${a.uid}:${a.gid} and ${b.uid}:${b.gid}`);
    }
    if (a.mtimeNs !== b.mtimeNs) this.#differ(path, `mtime ${a.mtimeNs} and ${b.mtimeNs} ns`);
    const own = this.#xattrs(this.#leftRoot, path);
    const other = this.#xattrs(this.#rightRoot, path);
    for (const name of new Set([...own.keys(), ...other.keys()])) {
      if (own.get(name) !== other.get(name)) this.#differ(path, `another ${name}`);
    }
    if (a.isDirectory()) return;
    if (a.nlink !== b.nlink) this.#differ(path, `${a.nlink} and ${b.nlink} names`);
    if (a.nlink === 1n) return;
    const first = this.#leftNames.get(a.ino) ?? path;
    const second = this.#rightNames.get(b.ino) ?? path;
    this.#leftNames.set(a.ino, first);
    this.#rightNames.set(b.ino, second);
    if (first !== second) this.#differ(path, `a name of ${first} and of ${second}`);
  }

  /** Extended attributes by name, but for the one that izo keeps for itself. */
  #xattrs(root: number, path: string): Map<string, string> {
    const { address, length: room, buffer } = this.#memory;
    const length = must('listxattr', listxattrAt(root, path, address, room), path);
    const names = buffer.toString('latin1', 0, length).split('\0').slice(0, -1);
    const found = new Map<string, string>();
    for (const name of names) {
      if (name === IDENTITY_XATTR) continue;
      const size = must('getxattr', getxattrAt(root, path, name, address, room), path);
      found.set(name, buffer.toString('latin1', 0, size));
    }
    return found;
  }

  #directory(path: string, l: Buffer, r: Buffer): void {
    const a = namesIn(l);
    const b = new Set(namesIn(r));
    for (const name of a) {
      const child = path === '' ? name : `${path}/${name}`;
      if (b.delete(name)) this.#compare(child);
      else this.#differ(child, `missing in ${this.right}`);
    }
    for (const name of b)
      this.#differ(path === '' ? name : `${path}/${name}`, `missing in ${this.left}`);
  }

  #sameContents(l: Buffer, r: Buffer): boolean {
    const left = openSync(l, 'r');
    const right = openSync(r, 'r');
    try {
      for (;;) {
        const a = readSync(left, this.#a, 0, CHUNK_BYTES, null);
        const b = readSync(right, this.#b, 0, CHUNK_BYTES, null);
        if (a !== b || this.#a.compare(this.#b, 0, b, 0, a) !== 0) return false;
        if (a === 0) return true;
      }
    } finally {
      closeSync(left);
      closeSync(right);
    }
  }
}

/** Bytes of names as latin1, sorted, so that two runs tell the same. */
function namesIn(directory: Buffer): string[] {
  return readdirSync(directory, { encoding: 'buffer' })
    .map((name) => name.toString('latin1'))
    .sort();
}
