import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { E } from '../../src/core/system/errno.js';
import {
  AT_FDCWD,
  copyFileRange,
  fallocate,
  linkat,
  lseek,
  O_DIRECT,
  pread,
  pwrite,
} from '../../src/core/system/files.js';
import { Memory } from '../../src/core/system/native.js';
import { fgetxattr, fsetxattr } from '../../src/core/system/xattrs.js';
import { node, shOk } from '../support/calls.js';
import { Mapping } from '../support/mapping.js';
import { describeTrees, type Place } from '../support/tree.js';

const MIB = 2 ** 20;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const ZERO_RANGE = 16;
const COLLAPSE_RANGE = 8;
const INSERT_RANGE = 32;

/** Each 4096 bytes a letter of their own. */
const LETTERS = 'abcdefgh'.replaceAll(/./g, (letter) => letter.repeat(4096));

function contentsOf(fd: number): string {
  const { size } = fstatSync(fd);
  const found = Buffer.alloc(size);
  assert.equal(readSync(fd, found, 0, size, 0), size);
  return found.toString('latin1');
}

function space({ at, needs }: Place): void {
  for (const reading of [false, true]) {
    const others = reading ? ', while somebody reads it' : '';

    needs('fallocate', `a hole is punched${others}`, () => {
      writeFileSync(at('f'), LETTERS);
      const reader = reading ? openSync(at('f'), 'r') : -1;
      const fd = openSync(at('f'), 'r+');
      assert.equal(contentsOf(fd), LETTERS);
      assert.equal(fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 4000, 8292), 0);
      const expected = LETTERS.slice(0, 4000) + '\0'.repeat(8292) + LETTERS.slice(12_292);
      assert.equal(contentsOf(fd), expected);
      if (reading) assert.equal(contentsOf(reader), expected);
      assert.equal(fallocate(fd, PUNCH_HOLE, 0, 4096), -E.EOPNOTSUPP);
      assert.equal(fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 0, 0), -E.EINVAL);
      closeSync(fd);
      if (reading) closeSync(reader);
      assert.equal(readFileSync(at('f'), 'latin1'), expected);
    });
  }

  it('is not reserved, zeroed or moved on ext3, and nothing changes', () => {
    writeFileSync(at('f'), LETTERS);
    const fd = openSync(at('f'), 'r+');
    for (const mode of [0, KEEP_SIZE, ZERO_RANGE, COLLAPSE_RANGE, INSERT_RANGE]) {
      assert.equal(fallocate(fd, mode, 4096, 40_960), -E.EOPNOTSUPP, `mode ${mode}`);
    }
    assert.equal(contentsOf(fd), LETTERS);
    closeSync(fd);
    const reading = openSync(at('f'), 'r');
    assert.equal(fallocate(reading, PUNCH_HOLE | KEEP_SIZE, 0, 4096), -E.EBADF);
    closeSync(reading);
  });

  needs('fallocate', 'posix_fallocate(3) as fallocate(1) -x and cp --sparse use it', () => {
    shOk('fallocate -x -l 100000 "$1" && test "$(stat -c %s "$1")" = 100000', [at('f')]);
    shOk('cp --sparse=always "$1" "$2" && cmp "$1" "$2"', [at('f'), at('g')]);
    shOk('fallocate -d "$1" && cmp "$1" "$2"', [at('f'), at('g')]);
  });

  needs('holes', 'holes are found where they are, also what was only written in memory', () => {
    const fd = openSync(at('f'), 'w+');
    ftruncateSync(fd, MIB);
    assert.equal(lseek(fd, 0, SEEK_DATA), -E.ENXIO);
    const map = new Mapping(fd, MIB, true);
    map.write(500_000, 'data');
    const reader = openSync(at('f'), 'r');
    assert.equal(lseek(reader, 0, SEEK_DATA), 499_712);
    assert.equal(lseek(reader, 499_712, SEEK_HOLE), 503_808);
    shOk('cp --sparse=always "$1" "$2"', [at('f'), at('g')]);
    map.unmap();
    closeSync(reader);
    closeSync(fd);
    assert.equal(readFileSync(at('g')).indexOf('data'), 500_000);
    assert.equal(statSync(at('g')).size, MIB);
  });
}

function copying({ at }: Place): void {
  it('copy_file_range copies between files, and within one', () => {
    writeFileSync(at('f'), LETTERS);
    const from = openSync(at('f'), 'r');
    const to = openSync(at('g'), 'w+');
    assert.equal(copyFileRange(from, 4096, to, 100, 8192), 8192);
    assert.equal(contentsOf(to), '\0'.repeat(100) + LETTERS.slice(4096, 12_288));
    assert.equal(copyFileRange(from, 32_000, to, 0, 10_000), 768);
    assert.equal(copyFileRange(from, 40_000, to, 0, 10), 0);
    assert.equal(copyFileRange(to, 0, to, 20_000, 500), 500);
    assert.equal(copyFileRange(to, 0, to, 100, 500), -E.EINVAL);
    assert.equal(copyFileRange(from, 0, from, 10_000, 5), -E.EBADF);
    const found = contentsOf(to);
    assert.equal(found.length, 20_500);
    assert.equal(found.slice(20_000), found.slice(0, 500));
    closeSync(to);
    closeSync(from);
    assert.equal(readFileSync(at('g'), 'latin1'), found);
  });

  it('copy_file_range takes what others wrote before, and shows what it wrote', () => {
    writeFileSync(at('f'), LETTERS);
    writeFileSync(at('g'), LETTERS);
    const from = openSync(at('f'), 'r+');
    const to = openSync(at('g'), 'r+');
    const map = new Mapping(from, 4096, true);
    const seen = new Mapping(to, 4096, false);
    assert.equal(seen.read(0, 3), 'aaa');
    map.write(0, 'mapped');
    assert.equal(copyFileRange(from, 0, to, 0, 4096), 4096);
    assert.equal(seen.read(0, 8), 'mappedaa');
    for (const each of [map, seen]) each.unmap();
    for (const fd of [from, to]) closeSync(fd);
  });
}

const APPENDER = `
  const fs = await import('node:fs');
  const [path, who] = process.argv.slice(1);
  for (let i = 0; i < 50; i++) {
    fs.readFileSync(path);
    fs.writeFileSync(path, who + ':' + i + '\\n', { flag: 'a' });
  }`;

function flags({ at }: Place): void {
  it('O_APPEND of many processes that read meanwhile loses no line', async () => {
    writeFileSync(at('f'), '');
    const whos = ['a', 'b', 'c'];
    await Promise.all(whos.map((who) => node(APPENDER, [at('f'), who])));
    const lines = readFileSync(at('f'), 'utf8').trim().split('\n');
    assert.equal(lines.length, 150);
    for (const who of whos) {
      const own = lines.filter((line) => line.startsWith(who));
      assert.deepEqual(
        own,
        Array.from({ length: 50 }, (_, i) => `${who}:${i}`),
      );
    }
  });

  for (const reading of [false, true]) {
    it(`O_DIRECT reads and writes whole blocks${reading ? ' beside a reader' : ''}`, () => {
      writeFileSync(at('f'), LETTERS);
      const reader = reading ? openSync(at('f'), 'r') : -1;
      const fd = openSync(at('f'), constants.O_RDWR | O_DIRECT);
      const memory = new Memory(12_288);
      const aligned = memory.address + (4096 - (memory.address % 4096));
      const offset = aligned - memory.address;
      assert.equal(pread(fd, aligned, 4096, 8192), 4096);
      assert.equal(memory.buffer.toString('latin1', offset, offset + 4096), 'c'.repeat(4096));
      assert.equal(pwrite(fd, aligned, 4096, 0), 4096);
      assert.equal(pread(fd, aligned, 8192, 28_672), 4096);
      const expected = 'c'.repeat(4096) + LETTERS.slice(4096);
      if (reading) assert.equal(contentsOf(reader), expected);
      closeSync(fd);
      const direct = openSync(at('f'), constants.O_RDONLY | O_DIRECT);
      assert.equal(pread(direct, aligned, 4096, 4096), 4096);
      assert.equal(memory.buffer.toString('latin1', offset, offset + 4096), 'b'.repeat(4096));
      closeSync(direct);
      if (reading) closeSync(reader);
      assert.equal(readFileSync(at('f'), 'latin1'), expected);
    });
  }

  it('O_SYNC and O_DSYNC write, also beside a reader', () => {
    for (const flag of [constants.O_SYNC, constants.O_DSYNC]) {
      const fd = openSync(at('f'), constants.O_WRONLY | constants.O_CREAT | flag);
      writeSync(fd, 'one', 0);
      const other = openSync(at('f'), 'r');
      closeSync(fd);
      const beside = openSync(at('f'), constants.O_WRONLY | flag);
      writeSync(beside, 'two', 3);
      assert.equal(contentsOf(other), 'onetwo');
      closeSync(beside);
      closeSync(other);
    }
  });
}

function withoutName({ at }: Place): void {
  const REMOVALS: Record<string, () => void> = {
    removed: () => {
      unlinkSync(at('f'));
    },
    'replaced by another': () => {
      writeFileSync(at('g'), 'new');
      renameSync(at('g'), at('f'));
    },
  };
  for (const [how, remove] of Object.entries(REMOVALS)) {
    it(`goes on when it is ${how}: all that a descriptor can do`, () => {
      writeFileSync(at('f'), 'contents');
      const reader = openSync(at('f'), 'r');
      const fd = openSync(at('f'), 'r+');
      writeSync(fd, 'C', 0);
      remove();
      assert.equal(fstatSync(fd).nlink, 0);
      writeSync(fd, ' and more', 8);
      fsyncSync(fd);
      ftruncateSync(fd, 12);
      fchmodSync(fd, 0o4711);
      fchownSync(fd, 12, 34);
      futimesSync(fd, 100, 200);
      assert.equal(fsetxattr(fd, 'user.a', Buffer.from('b')), 0);
      const { mode, uid, gid, size, atimeMs, mtimeMs } = fstatSync(reader);
      assert.deepEqual(
        [mode & 0o777, uid, gid, size, atimeMs, mtimeMs],
        [0o711, 12, 34, 12, 100_000, 200_000],
      );
      const memory = new Memory(16);
      assert.equal(fgetxattr(fd, 'user.a', memory.address, 16), 1);
      assert.equal(contentsOf(reader), 'Contents and');
      const again = openSync(`/proc/self/fd/${fd}`, 'r+');
      writeSync(again, '!', 12);
      assert.equal(contentsOf(reader), 'Contents and!');
      assert.equal(linkat(fd, '', AT_FDCWD, at('h')), -E.ENOENT);
      for (const each of [again, fd, reader]) closeSync(each);
      assert.equal(existsSync(at('f')), how !== 'removed');
    });
  }

  it('is written under a name it was given while open', () => {
    const fd = openSync(at('f'), 'w+');
    writeSync(fd, 'one');
    linkSync(at('f'), at('g'));
    unlinkSync(at('f'));
    writeSync(fd, 'two');
    mkdirSync(at('d'));
    renameSync(at('g'), at('d', 'h'));
    closeSync(fd);
    assert.equal(readFileSync(at('d', 'h'), 'utf8'), 'onetwo');
  });
}

describeTrees('open files', (place) => {
  describe('space', () => {
    space(place);
  });
  describe('copying', () => {
    copying(place);
  });
  describe('flags', () => {
    flags(place);
  });
  describe('a file without a name', () => {
    withoutName(place);
  });
});
