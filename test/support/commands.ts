import {
  chmodSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { copyFileRange, fallocate, lseek } from '../../src/core/system/files.js';
import { outcome } from './calls.js';
import { Mapping } from './mapping.js';

const PUNCH_HOLE = 3;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** One call on a tree. Printed as one line of a script when it has made a difference. */
export type Call = readonly [name: string, ...words: (string | number)[]];

/** Where calls are made: a directory, and the files they have open there, by small numbers. */
export class Actor {
  readonly open = new Map<number, number>();

  constructor(readonly root: string) {}

  at(path: string | number | undefined): string {
    return join(this.root, String(path));
  }

  /** @throws as a call with a descriptor that is none */
  fd(slot: string | number | undefined): number {
    const fd = this.open.get(Number(slot));
    if (fd === undefined) throw Object.assign(new Error('nothing is open'), { code: 'EBADF' });
    return fd;
  }

  /** Makes a call. @returns what it says: its value, or the error's symbolic name */
  perform([name, ...words]: Call): string {
    let value: unknown;
    const code = outcome(() => {
      value = ACTS[name]?.(this, words);
    });
    return code === 'ok' ? JSON.stringify(value ?? 'ok') : code;
  }

  closeAll(): void {
    for (const fd of this.open.values()) closeSync(fd);
    this.open.clear();
  }
}

type Act = (actor: Actor, words: readonly (string | number)[]) => unknown;

const text = (word: string | number | undefined): string => String(word ?? '');

/** A value of a tree that two trees must agree on. Sizes of directories are the file system's own business. */
function attributes({ mode, nlink, size, uid, gid }: Stats): unknown {
  const isDirectory = (mode & 0o170000) === 0o040000;
  return [mode.toString(8), nlink, isDirectory ? 0 : size, uid, gid];
}

function write(path: string, flags: string, bytes: string, offset: number | null): void {
  const fd = openSync(path, flags, 0o666);
  try {
    writeSync(fd, bytes, offset);
  } finally {
    closeSync(fd);
  }
}

const ACTS: Record<string, Act> = {
  open: (actor, [path, slot]) => {
    if (actor.open.has(Number(slot))) return;
    actor.open.set(Number(slot), openSync(actor.at(path), 'r+'));
  },
  read_only: (actor, [path, slot]) => {
    if (actor.open.has(Number(slot))) return;
    actor.open.set(Number(slot), openSync(actor.at(path), 'r'));
  },
  punch: (actor, [slot, offset, length]) =>
    fallocate(actor.fd(slot), PUNCH_HOLE, Number(offset), Number(length)),
  copy: (actor, [from, offset, to, toOffset, length]) =>
    copyFileRange(actor.fd(from), Number(offset), actor.fd(to), Number(toOffset), Number(length)),
  holes: (actor, [slot, offset]) => {
    const fd = actor.fd(slot);
    if (fstatSync(fd).isDirectory()) return undefined;
    return [SEEK_DATA, SEEK_HOLE].map((whence) => lseek(fd, Number(offset), whence));
  },
  map: (actor, [slot, offset, bytes]) => {
    const fd = actor.fd(slot);
    // Beyond the end is no memory.
    if (fstatSync(fd).size < Number(offset) + text(bytes).length) return;
    const map = new Mapping(fd, Number(offset) + text(bytes).length, true);
    map.write(Number(offset), text(bytes));
    map.unmap();
  },
  put: (actor, [slot, offset, bytes]) => writeSync(actor.fd(slot), text(bytes), Number(offset)),
  cut: (actor, [slot, size]) => {
    ftruncateSync(actor.fd(slot), Number(size));
  },
  look: (actor, [slot]) => {
    const bytes = Buffer.alloc(64);
    const count = readSync(actor.fd(slot), bytes, 0, bytes.length, 0);
    return [attributes(fstatSync(actor.fd(slot))), bytes.toString('latin1', 0, count)];
  },
  close: (actor, [slot]) => {
    closeSync(actor.fd(slot));
    actor.open.delete(Number(slot));
  },
  create: (actor, [path]) => {
    closeSync(openSync(actor.at(path), 'wx', 0o644));
  },
  rewrite: (actor, [path, bytes]) => {
    writeFileSync(actor.at(path), text(bytes));
  },
  write: (actor, [path, offset, bytes]) => {
    write(actor.at(path), 'r+', text(bytes), Number(offset));
  },
  append: (actor, [path, bytes]) => {
    write(actor.at(path), 'a', text(bytes), null);
  },
  truncate: (actor, [path, size]) => {
    truncateSync(actor.at(path), Number(size));
  },
  rename: (actor, [from, to]) => {
    renameSync(actor.at(from), actor.at(to));
  },
  link: (actor, [from, to]) => {
    linkSync(actor.at(from), actor.at(to));
  },
  symlink: (actor, [target, path]) => {
    symlinkSync(text(target), actor.at(path));
  },
  unlink: (actor, [path]) => {
    unlinkSync(actor.at(path));
  },
  mkdir: (actor, [path]) => {
    mkdirSync(actor.at(path), 0o750);
  },
  rmdir: (actor, [path]) => {
    rmdirSync(actor.at(path));
  },
  chmod: (actor, [path, mode]) => {
    chmodSync(actor.at(path), Number(mode));
  },
  utimes: (actor, [path, seconds]) => {
    utimesSync(actor.at(path), Number(seconds), Number(seconds));
  },
  readdir: (actor, [path]) => readdirSync(actor.at(path)).sort(),
  read: (actor, [path]) => readFileSync(actor.at(path), 'latin1'),
  stat: (actor, [path]) => attributes(lstatSync(actor.at(path))),
  readlink: (actor, [path]) => readlinkSync(actor.at(path)),
};

/** What every script begins with, so that most of its calls find something. */
export const SETTING: readonly Call[] = [
  ['mkdir', 'a'],
  ['mkdir', 'a/b'],
  ['mkdir', 'b'],
  ['rewrite', 'c', 'contents of c'],
  ['rewrite', 'a/c', 'contents of a/c'],
  ['link', 'a/c', 'b/c'],
  ['symlink', 'c', 'b/d'],
  ['open', 'c', 0],
];

const name = fc.constantFrom('a', 'b', 'c', 'd');
/** Few names, so that calls meet. */
const path = fc
  .oneof(
    { arbitrary: fc.tuple(name), weight: 4 },
    { arbitrary: fc.tuple(name, name), weight: 4 },
    fc.tuple(name, name, name),
  )
  .map((names) => names.join('/'));
const slot = fc.nat(2);
const bytes = fc.string({ minLength: 1, maxLength: 12 });
const size = fc.oneof(fc.nat(20), fc.constantFrom(4095, 4096, 5000, 100_000));
const target = fc.oneof(path, fc.constantFrom('../a', '.', 'nowhere'));

export const call: fc.Arbitrary<Call> = fc.oneof(
  { arbitrary: fc.tuple(fc.constant('open'), path, slot), weight: 2 },
  { arbitrary: fc.tuple(fc.constant('put'), slot, size, bytes), weight: 2 },
  { arbitrary: fc.tuple(fc.constant('read_only'), path, slot), weight: 2 },
  fc.tuple(fc.constant('punch'), slot, size, size),
  fc.tuple(fc.constant('copy'), slot, size, slot, size, size),
  fc.tuple(fc.constant('holes'), slot, size),
  fc.tuple(fc.constant('map'), slot, size, bytes),
  fc.tuple(fc.constant('cut'), slot, size),
  { arbitrary: fc.tuple(fc.constant('look'), slot), weight: 2 },
  fc.tuple(fc.constant('close'), slot),
  fc.tuple(fc.constant('create'), path),
  fc.tuple(fc.constant('rewrite'), path, bytes),
  fc.tuple(fc.constant('write'), path, size, bytes),
  fc.tuple(fc.constant('append'), path, bytes),
  fc.tuple(fc.constant('truncate'), path, size),
  { arbitrary: fc.tuple(fc.constant('rename'), path, path), weight: 3 },
  { arbitrary: fc.tuple(fc.constant('link'), path, path), weight: 2 },
  fc.tuple(fc.constant('symlink'), target, path),
  fc.tuple(fc.constant('unlink'), path),
  { arbitrary: fc.tuple(fc.constant('mkdir'), path), weight: 3 },
  fc.tuple(fc.constant('rmdir'), path),
  fc.tuple(fc.constant('chmod'), path, fc.constantFrom(0o600, 0o4755, 0o2770, 0o1777, 0)),
  fc.tuple(fc.constant('utimes'), path, fc.nat(2 ** 31)),
  fc.tuple(fc.constant('readdir'), path),
  fc.tuple(fc.constant('read'), path),
  fc.tuple(fc.constant('stat'), path),
  fc.tuple(fc.constant('readlink'), path),
);
