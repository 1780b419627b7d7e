import { randomFillSync } from 'node:crypto';
import { Attr } from '../../src/core/system/attr.js';
import { must } from '../../src/core/system/errno.js';
import {
  AT_REMOVEDIR,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  close,
  fchmodat,
  getdents64,
  mkdirat,
  openat,
  pread,
  pwrite,
  renameat2,
  stat,
  unlinkat,
} from '../../src/core/system/files.js';
import { Memory } from '../../src/core/system/native.js';

/**
 * What is timed: system calls in a row, through the same binding that presto uses. Beside the call itself one costs a
 * fraction of a microsecond, and allocates nothing.
 */
export const MIB = 1024 * 1024;
const KIB = 1024;
const BIG_FILE = 'big';
const MODE = 0o644;

const block = new Memory(MIB);
randomFillSync(block.buffer);
const entries = new Memory(32 * KIB);
const attr = new Attr();

/** `directory`: descriptor of the working directory. `count`: how often. Throws where a call fails. */
export type Loop = (directory: number, count: number) => void;

function file(directory: number, name: string, flags: number): number {
  return must('open', openat(directory, name, flags, MODE), name);
}

function each(act: (directory: number, name: string, index: number) => number): Loop {
  return (directory, count) => {
    for (let index = 0; index < count; index++) {
      const name = `file${index}`;
      must('the operation', act(directory, name, index), name);
    }
  };
}

function create(directory: number, name: string, bytes: number): number {
  const fd = file(directory, name, O_WRONLY | O_CREAT | O_EXCL);
  if (bytes > 0) must('write', pwrite(fd, block.address, bytes, 0), name);
  return close(fd);
}

/** One file, `count` times `bytes`. */
function writing(bytes: number, flags: number, offsetOf: (index: number) => number): Loop {
  return (directory, count) => {
    const fd = file(directory, BIG_FILE, flags);
    for (let index = 0; index < count; index++) {
      const done = must('write', pwrite(fd, block.address, bytes, offsetOf(index)), BIG_FILE);
      if (done !== bytes) throw new Error(`${done} of ${bytes} bytes written`);
    }
    must('close', close(fd), BIG_FILE);
  };
}

function reading(bytes: number, offsetOf: (index: number) => number): Loop {
  return (directory, count) => {
    const fd = file(directory, BIG_FILE, O_RDONLY);
    for (let index = 0; index < count; index++) {
      const done = must('read', pread(fd, block.address, bytes, offsetOf(index)), BIG_FILE);
      if (done !== bytes) throw new Error(`${done} of ${bytes} bytes read`);
    }
    must('close', close(fd), BIG_FILE);
  };
}

/** MiB in which the random loops look around: there must be a file so large. */
export const RANDOM_MIB = 64;
const PAGE = 4 * KIB;
const RANDOM_PAGES = (RANDOM_MIB * MIB) / PAGE;
/** Multiples of a number that has no factor in common with the pages: all are visited, in no order that helps. */
const STRIDE = 10_007;
const randomOffset = (index: number): number => ((index * STRIDE) % RANDOM_PAGES) * PAGE;

export const LOOPS = {
  create: each((at, name) => create(at, name, 0)),
  createKib: each((at, name) => create(at, name, KIB)),
  stat: each((at, name) => stat(at, name, attr)),
  openReadClose: each((at, name) => {
    const fd = file(at, name, O_RDONLY);
    must('read', pread(fd, block.address, KIB, 0), name);
    return close(fd);
  }),
  unlink: each((at, name) => unlinkat(at, name)),
  mkdir: each((at, name) => mkdirat(at, name, 0o755)),
  rmdir: each((at, name) => unlinkat(at, name, AT_REMOVEDIR)),
  rename: each((at, name) => renameat2(at, name, at, `${name}.renamed`)),
  chmod: each((at, name, index) => fchmodat(at, name, index % 2 === 0 ? 0o600 : 0o640)),
  append: writing(100, O_WRONLY | O_CREAT | O_APPEND, () => 0),
  writePages: writing(PAGE, O_WRONLY | O_CREAT | O_TRUNC, (index) => index * PAGE),
  writeMib: writing(MIB, O_WRONLY | O_CREAT, (index) => index * MIB),
  readMib: reading(MIB, (index) => index * MIB),
  readRandom: reading(PAGE, randomOffset),
  writeRandom: writing(PAGE, O_RDWR, randomOffset),
  readdir: (at, count) => {
    const fd = file(at, '.', O_RDONLY | O_DIRECTORY);
    let bytes = 0;
    let got: number;
    while ((got = must('getdents', getdents64(fd, entries.address, entries.length))) > 0) {
      bytes += got;
    }
    close(fd);
    // Head and name of an entry are at least that long.
    if (bytes < count * 24) throw new Error(`${bytes} bytes of entries for ${count} files`);
  },
} satisfies Record<string, Loop>;

export type LoopName = keyof typeof LOOPS;
