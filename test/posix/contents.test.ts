import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { copyFileRange, fallocate, lseek } from '../../src/core/system/files.js';
import { E } from '../../src/core/system/errno.js';
import { fails, shOk } from '../support/calls.js';
import { describeTrees, type Place } from '../support/tree.js';

const MIB = 2 ** 20;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const FALLOC_KEEP_SIZE = 1;
const FALLOC_PUNCH_HOLE = 2;

function readingAndWriting({ at }: Place): void {
  it('at offsets, in any order, over and beyond the end', () => {
    const fd = openSync(at('f'), 'w+');
    writeSync(fd, 'world', 6);
    writeSync(fd, 'hello ', 0);
    writeSync(fd, '!', 11);
    writeSync(fd, 'W', 6);
    const found = Buffer.alloc(100);
    assert.equal(readSync(fd, found, 0, 100, 0), 12);
    assert.equal(found.toString('latin1', 0, 12), 'hello World!');
    assert.equal(readSync(fd, found, 0, 100, 12), 0);
    assert.equal(readSync(fd, found, 0, 3, 4), 3);
    closeSync(fd);
  });

  it('with the wrong kind of descriptor is refused', () => {
    writeFileSync(at('f'), 'x');
    const reading = openSync(at('f'), 'r');
    const writing = openSync(at('f'), constants.O_WRONLY);
    fails('EBADF', () => writeSync(reading, 'y'));
    fails('EBADF', () => readSync(writing, Buffer.alloc(1)));
    closeSync(reading);
    closeSync(writing);
  });

  it('3 MiB that are no multiple of anything', () => {
    const contents = randomBytes(3 * MIB + 12_345);
    writeFileSync(at('f'), contents);
    assert.ok(readFileSync(at('f')).equals(contents));
    const fd = openSync(at('f'), 'r+');
    const patch = randomBytes(300_000);
    writeSync(fd, patch, 0, patch.length, 1_234_567);
    fsyncSync(fd);
    closeSync(fd);
    patch.copy(contents, 1_234_567);
    assert.ok(readFileSync(at('f')).equals(contents));
  });

  it('O_TRUNC empties, O_APPEND adds', () => {
    writeFileSync(at('f'), 'a long text');
    writeFileSync(at('f'), 'short');
    writeFileSync(at('f'), ', and more', { flag: 'a' });
    assert.equal(readFileSync(at('f'), 'utf8'), 'short, and more');
    closeSync(openSync(at('f'), constants.O_RDONLY | constants.O_TRUNC));
    assert.equal(statSync(at('f')).size, 0);
  });

  it('through two descriptors shows each what the other wrote', () => {
    const one = openSync(at('f'), 'w+');
    const two = openSync(at('f'), 'r+');
    const found = Buffer.alloc(3);
    writeSync(one, 'one');
    readSync(two, found, 0, 3, 0);
    assert.equal(found.toString(), 'one');
    writeSync(two, 'two', 0);
    readSync(one, found, 0, 3, 0);
    assert.equal(found.toString(), 'two');
    ftruncateSync(one, 1);
    assert.equal(fstatSync(two).size, 1);
    closeSync(one);
    closeSync(two);
  });

  it('changes the modification time, and reading does not', async () => {
    writeFileSync(at('f'), 'x');
    const before = statSync(at('f'), { bigint: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    readFileSync(at('f'));
    assert.equal(statSync(at('f'), { bigint: true }).mtimeNs, before.mtimeNs);
    writeFileSync(at('f'), 'y', { flag: 'r+' });
    assert.ok(statSync(at('f'), { bigint: true }).mtimeNs > before.mtimeNs);
  });
}

function sizes({ at, needs }: Place): void {
  it('truncate cuts, and fills with zeros', () => {
    writeFileSync(at('f'), 'abcdefgh');
    truncateSync(at('f'), 4);
    assert.equal(readFileSync(at('f'), 'utf8'), 'abcd');
    truncateSync(at('f'), 6);
    assert.equal(readFileSync(at('f'), 'latin1'), 'abcd\0\0');
    const fd = openSync(at('f'), 'r+');
    ftruncateSync(fd, 10_000);
    assert.equal(fstatSync(fd).size, 10_000);
    ftruncateSync(fd, 2);
    writeSync(fd, 'xy', 4);
    closeSync(fd);
    assert.equal(readFileSync(at('f'), 'latin1'), 'ab\0\0xy');
  });

  it('truncate fails as it should', () => {
    mkdirSync(at('d'));
    writeFileSync(at('f'), '');
    fails('EISDIR', () => {
      truncateSync(at('d'), 0);
    });
    fails('ENOENT', () => {
      truncateSync(at('none'), 0);
    });
    const fd = openSync(at('f'), 'r');
    fails('EINVAL', () => {
      ftruncateSync(fd, 1);
    });
    closeSync(fd);
  });

  needs('holes', 'a hole takes no room, and is found', () => {
    const fd = openSync(at('f'), 'w+');
    writeSync(fd, 'start', 0);
    writeSync(fd, 'end', 8 * MIB);
    fsyncSync(fd);
    assert.equal(fstatSync(fd).size, 8 * MIB + 3);
    assert.ok(fstatSync(fd).blocks < 100, `${fstatSync(fd).blocks} blocks`);
    assert.equal(lseek(fd, 0, SEEK_HOLE), 4096);
    assert.equal(lseek(fd, 4096, SEEK_DATA), 8 * MIB);
    assert.equal(lseek(fd, 9 * MIB, SEEK_DATA), -E.ENXIO);
    closeSync(fd);
    shOk('cp --sparse=always "$1" "$2" && cmp "$1" "$2"', [at('f'), at('g')]);
  });

  needs(
    'fallocate',
    'fallocate does what the lower file system does, or says that it cannot',
    () => {
      const fd = openSync(at('f'), 'w+');
      writeSync(fd, 'x'.repeat(20_000));
      const punched = fallocate(fd, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, 4096, 4096);
      assert.ok([0, -E.EOPNOTSUPP].includes(punched), `${punched}`);
      const grown = fallocate(fd, 0, 0, 30_000);
      assert.ok([0, -E.EOPNOTSUPP].includes(grown), `${grown}`);
      closeSync(fd);
      assert.equal(statSync(at('f')).size, grown === 0 ? 30_000 : 20_000);
    },
  );
}

function copying({ at }: Place): void {
  it('copy_file_range copies, also within what was just written', () => {
    const contents = randomBytes(2 * MIB);
    const from = openSync(at('from'), 'w+');
    writeSync(from, contents);
    const to = openSync(at('to'), 'w+');
    let done = 0;
    while (done < contents.length) {
      const count = copyFileRange(from, done, to, done, contents.length - done);
      assert.ok(count > 0, `${count}`);
      done += count;
    }
    closeSync(from);
    closeSync(to);
    assert.ok(readFileSync(at('to')).equals(contents));
  });

  it('as cp, dd, tar and copyFile do it', () => {
    const contents = randomBytes(500_000);
    writeFileSync(at('f'), contents);
    shOk('cp --reflink=auto "$1" "$2"', [at('f'), at('cp')]);
    shOk('dd if="$1" of="$2" bs=7777 conv=fsync 2>&1', [at('f'), at('dd')]);
    copyFileSync(at('f'), at('copyFile'));
    mkdirSync(at('tar'));
    shOk('tar -C "$1" -cf - f cp | tar -C "$2" -xf -', [at(), at('tar')]);
    for (const name of ['cp', 'dd', 'copyFile', 'tar/f', 'tar/cp']) {
      assert.ok(readFileSync(at(name)).equals(contents), name);
    }
  });
}

describeTrees('contents', (place) => {
  describe('reading and writing', () => {
    readingAndWriting(place);
  });
  describe('sizes', () => {
    sizes(place);
  });
  describe('copying', () => {
    copying(place);
  });
});
