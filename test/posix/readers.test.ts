import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { fallocate, lseek } from '../../src/core/system/files.js';
import { shOk } from '../support/calls.js';
import { Mapping } from '../support/mapping.js';
import { describeTrees, type Place } from '../support/tree.js';

const SEEK_END = 2;
const FALLOC_KEEP_SIZE = 1;
const FALLOC_PUNCH_HOLE = 2;

function textOf(fd: number, length = 100): string {
  const found = Buffer.alloc(length);
  return found.toString('latin1', 0, readSync(fd, found, 0, length, 0));
}

/** What a program sees that has a file open for reading only, by all ways there are. */
function sees(fd: number, expected: string): void {
  assert.equal(textOf(fd), expected);
  assert.equal(fstatSync(fd).size, expected.length);
  assert.equal(lseek(fd, 0, SEEK_END), expected.length);
}

function followingWriters({ at, needs }: Place): void {
  const CHANGES: Record<string, [(path: string) => void, string]> = {
    'written over': [
      (path) => {
        writeFileSync(path, 'HELLO', { flag: 'r+' });
      },
      'HELLO world',
    ],
    'written anew': [
      (path) => {
        writeFileSync(path, 'a new text');
      },
      'a new text',
    ],
    'appended to': [
      (path) => {
        writeFileSync(path, '!', { flag: 'a' });
      },
      'hello world!',
    ],
    'cut by name': [
      (path) => {
        truncateSync(path, 5);
      },
      'hello',
    ],
    'extended by name': [
      (path) => {
        truncateSync(path, 12);
      },
      'hello world\0',
    ],
    'emptied by a reader': [
      (path) => {
        closeSync(openSync(path, constants.O_RDONLY | constants.O_TRUNC));
      },
      '',
    ],
    'overwritten by dd': [
      (path) => {
        shOk('printf 12 | dd of="$1" conv=notrunc 2>&1', [path]);
      },
      '12llo world',
    ],
  };
  for (const [how, [change, expected]] of Object.entries(CHANGES)) {
    it(`that is open for reading and ${how}`, () => {
      writeFileSync(at('f'), 'hello world');
      const reader = openSync(at('f'), 'r');
      sees(reader, 'hello world');
      change(at('f'));
      sees(reader, expected);
      const late = openSync(at('f'), 'r');
      sees(late, expected);
      closeSync(reader);
      sees(late, expected);
      closeSync(late);
      assert.equal(readFileSync(at('f'), 'latin1'), expected);
      assert.equal(statSync(at('f')).size, expected.length);
    });
  }

  it('by a writer who stays, with readers coming and going', () => {
    writeFileSync(at('f'), 'one');
    let reader = openSync(at('f'), 'r');
    const writer = openSync(at('f'), 'r+');
    const appender = openSync(at('f'), 'a');
    for (const [index, word] of ['two', 'three', 'four'].entries()) {
      writeSync(writer, word, 0);
      writeSync(appender, `${index}`);
      const whole = textOf(writer);
      assert.ok(whole.startsWith(word) && whole.endsWith(`${index}`), whole);
      sees(reader, whole);
      closeSync(reader);
      sees(writer, whole);
      reader = openSync(at('f'), 'r');
      sees(reader, whole);
    }
    ftruncateSync(writer, 2);
    sees(reader, 'fo');
    closeSync(appender);
    closeSync(writer);
    sees(reader, 'fo');
    closeSync(reader);
  });

  it('what writers wrote while readers were there is there for a writer who comes later', () => {
    writeFileSync(at('f'), 'x'.repeat(20));
    const cached = openSync(at('f'), 'r+');
    assert.equal(textOf(cached), 'x'.repeat(20));
    closeSync(cached);
    const reader = openSync(at('f'), 'r');
    const direct = openSync(at('f'), 'r+');
    writeSync(direct, 'direct', 3);
    closeSync(direct);
    closeSync(reader);
    const later = openSync(at('f'), 'r+');
    assert.equal(textOf(later), `xxxdirect${'x'.repeat(11)}`);
    closeSync(later);
  });

  needs('fallocate', 'with holes punched under a reader', () => {
    writeFileSync(at('f'), 'x'.repeat(12_288));
    const reader = openSync(at('f'), 'r');
    const writer = openSync(at('f'), 'r+');
    fallocate(writer, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, 4096, 4096);
    // Not on every lower file system: then both see the same as before.
    assert.equal(textOf(reader, 12_288), textOf(writer, 12_288));
    closeSync(writer);
    closeSync(reader);
  });

  needs('nameless', 'whose attributes change, and whose name goes', () => {
    writeFileSync(at('f'), 'old');
    writeFileSync(at('g'), 'new');
    const reader = openSync(at('f'), 'r');
    chmodSync(at('f'), 0o751);
    utimesSync(at('f'), 1, 2);
    assert.equal(fstatSync(reader).mode & 0o7777, 0o751);
    assert.equal(fstatSync(reader).mtimeMs, 2000);
    renameSync(at('g'), at('f'));
    sees(reader, 'old');
    assert.equal(fstatSync(reader).nlink, 0);
    const again = openSync(`/proc/self/fd/${reader}`, 'r');
    sees(again, 'old');
    const writing = openSync(`/proc/self/fd/${reader}`, 'r+');
    writeSync(writing, 'OLD', 0);
    sees(again, 'OLD');
    closeSync(writing);
    const g = openSync(at('f'), 'r');
    sees(g, 'new');
    unlinkSync(at('f'));
    sees(g, 'new');
    for (const fd of [reader, again, g]) closeSync(fd);
  });
}

function mapping({ at, settle }: Place): void {
  it('shows a reader what is written, and a writer what was mapped', () => {
    writeFileSync(at('f'), 'a'.repeat(8192));
    const reader = openSync(at('f'), 'r');
    const seen = new Mapping(reader, 8192, false);
    const writer = openSync(at('f'), 'r+');
    writeSync(writer, 'bcd', 5000);
    assert.equal(seen.read(4999, 5), 'abcda');
    const written = new Mapping(writer, 8192, true);
    written.write(0, 'mapped');
    assert.equal(seen.read(0, 7), 'mappeda');
    assert.equal(textOf(reader, 7), 'mappeda');
    assert.equal(textOf(writer, 7), 'mappeda');
    for (const each of [seen, written]) each.unmap();
    closeSync(writer);
    closeSync(reader);
    assert.equal(readFileSync(at('f'), 'latin1').slice(0, 7), 'mappeda');
  });

  it('shows what somebody writes who was there first and cannot read, and shows him nothing in its way', () => {
    writeFileSync(at('f'), 'a'.repeat(8192));
    const appender = openSync(at('f'), 'a');
    const fd = openSync(at('f'), 'r+');
    const map = new Mapping(fd, 8192, true);
    const writer = openSync(at('f'), constants.O_WRONLY);
    map.write(0, 'mapped');
    writeSync(writer, 'BC', 6);
    writeSync(appender, 'end');
    assert.equal(map.read(0, 9), 'mappedBCa');
    assert.equal(textOf(fd, 9), 'mappedBCa');
    assert.equal(fstatSync(fd).size, 8195);
    map.unmap();
    for (const each of [fd, appender]) closeSync(each);
    writeSync(writer, 'D', 8);
    const found = readFileSync(at('f'), 'latin1');
    assert.equal(found.slice(0, 10), 'mappedBCDa');
    assert.equal(found.slice(8190), 'aaend');
    closeSync(writer);
  });

  it('is written with nobody else there, after the file was closed', () => {
    writeFileSync(at('f'), 'a'.repeat(8192));
    const fd = openSync(at('f'), 'r+');
    const map = new Mapping(fd, 8192, true);
    map.write(10, 'before');
    closeSync(fd);
    map.write(4100, 'after');
    map.sync();
    map.write(4200, 'synced');
    map.unmap();
    const found = readFileSync(at('f'), 'latin1');
    assert.equal(found.slice(9, 17), 'abeforea');
    assert.equal(found.slice(4100, 4105), 'after');
    assert.equal(found.slice(4200, 4206), 'synced');
  });

  for (const after of ['before', 'after'] as const) {
    it(`is written while somebody reads, and ${after} the file was closed`, async () => {
      writeFileSync(at('f'), 'a'.repeat(8192));
      const reader = openSync(at('f'), 'r');
      const fd = openSync(at('f'), 'r+');
      const map = new Mapping(fd, 8192, true);
      map.write(10, 'first');
      if (after === 'after') closeSync(fd);
      // presto has seen that; now what comes later.
      if (after === 'after') await settle();
      map.write(20, 'second');
      map.write(4100, 'third');
      assert.equal(textOf(reader, 30), 'aaaaaaaaaafirstaaaaasecondaaaa');
      map.unmap();
      if (after === 'before') closeSync(fd);
      else await settle();
      closeSync(reader);
      const found = readFileSync(at('f'), 'latin1');
      assert.equal(found.slice(0, 30), 'aaaaaaaaaafirstaaaaasecondaaaa');
      assert.equal(found.slice(4100, 4105), 'third');
      const writer = openSync(at('f'), 'r+');
      assert.equal(textOf(writer, 30), 'aaaaaaaaaafirstaaaaasecondaaaa');
      closeSync(writer);
    });
  }
}

describeTrees('readers', (place) => {
  describe('of a file', () => {
    followingWriters(place);
  });
  describe('a shared mapping', () => {
    mapping(place);
  });
});
