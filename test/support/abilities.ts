import assert from 'node:assert/strict';
import {
  closeSync,
  lstatSync,
  opendirSync,
  openSync,
  readdirSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { E, errnoName } from '../../src/core/system/errno.js';
import {
  AT_FDCWD,
  fallocate,
  lseek,
  O_RDWR,
  O_TMPFILE,
  renameat2,
  UTIME_OMIT,
  utimensat,
} from '../../src/core/system/files.js';
import { fails, sh, STRANGER } from './calls.js';
import type { Place } from './tree.js';

const RENAME_NOREPLACE = 1;
const SEEK_HOLE = 4;
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;

/**
 * What some trees cannot do, by the documented limits of the way they are mounted, and what a program is told there
 * instead: each is asserted wherever the ability itself would have been.
 */
export const REFUSALS = {
  /** Users other than root. */
  users: ({ at }: Place) => {
    writeFileSync(at('f'), 'x', { mode: 0o666 });
    const tried = sh('cat "$1/f"', [at()], STRANGER);
    assert.notEqual(tried.status, 0);
    assert.match(tried.stderr, /Permission denied/);
  },
  renameFlags: ({ at }: Place) => {
    writeFileSync(at('f'), 'x');
    const result = renameat2(AT_FDCWD, at('f'), AT_FDCWD, at('g'), RENAME_NOREPLACE);
    assert.equal(errnoName(result), 'EINVAL');
    assert.deepEqual(readdirSync(at()), ['f']);
  },
  /** Names that are no text. */
  anyBytes: ({ at, bytes }: Place) => {
    fails('EILSEQ', () => {
      writeFileSync(bytes(Buffer.from([0x61, 0xff])), '');
    });
    assert.deepEqual(readdirSync(at()), []);
  },
  /** No name at all for a file that is open and unlinked. */
  nameless: ({ at }: Place) => {
    const fd = openSync(at('f'), 'w+');
    unlinkSync(at('f'));
    writeSync(fd, 'x');
    assert.match(readdirSync(at()).join(), /^\.fuse_hidden/);
    closeSync(fd);
    assert.deepEqual(readdirSync(at()), []);
  },
  /** Times to the nanosecond, each on its own: here they come in milliseconds, and a single one is not changed. */
  times: ({ at }: Place) => {
    writeFileSync(at('f'), '');
    utimesSync(at('f'), 5, 6.75);
    assert.equal(utimensat(AT_FDCWD, at('f'), 0, UTIME_OMIT, 3000, 0), 0);
    const { atimeNs, mtimeNs } = lstatSync(at('f'), { bigint: true });
    assert.deepEqual([atimeNs, mtimeNs], [5_000_000_000n, 6_750_000_000n]);
  },
  fallocate: ({ at }: Place) => {
    const fd = openSync(at('f'), 'w+');
    writeSync(fd, 'x'.repeat(10_000));
    assert.equal(fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 4096, 4096), -E.EOPNOTSUPP);
    closeSync(fd);
  },
  /** Where the holes of a file are: here all of it looks like data. */
  holes: ({ at }: Place) => {
    const fd = openSync(at('f'), 'w+');
    writeSync(fd, 'end', 100_000);
    assert.equal(lseek(fd, 0, SEEK_HOLE), 100_003);
    closeSync(fd);
  },
  /** Inode flags, chattr(1). */
  flags: ({ at }: Place) => {
    writeFileSync(at('f'), '');
    assert.equal(sh('chattr +d "$1"', [at('f')]).status, 1);
    assert.equal(sh('lsattr "$1"', [at('f')]).status, 1);
  },
  /** Files made without a name, O_TMPFILE. */
  tmpfile: ({ at }: Place) => {
    fails('ENOTSUP', () => openSync(at(), O_TMPFILE | O_RDWR));
    assert.deepEqual(readdirSync(at()), []);
  },
  /** What an open directory has now: here, what it had when it was first read. */
  freshListing: ({ at }: Place) => {
    for (const name of ['a', 'b']) writeFileSync(at(name), '');
    const directory = opendirSync(at(), { bufferSize: 1 });
    const first = directory.readSync()?.name;
    for (const name of ['a', 'b']) unlinkSync(at(name));
    const second = directory.readSync()?.name;
    directory.closeSync();
    assert.deepEqual([first, second].sort(), ['a', 'b']);
  },
} as const;

export type Ability = keyof typeof REFUSALS;
