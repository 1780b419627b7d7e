import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { KmlReader } from '../../src/core/journal/index.js';
import { LowerContents } from '../../src/core/lento/contents/lower-contents.js';
import { Opcode, type JournalRecord, type Range } from '../../src/core/model/records.js';
import { copyFileRange, fallocate } from '../../src/core/system/files.js';
import { Mapping } from '../support/mapping.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';
import { setXattr } from '../support/xattr.js';

const SIZE = 100_000;
const EVERYTHING: Range[] = [];
const PUNCH_HOLE = 3;

/** What is done to a file that is there, and the ranges that its CLOSE then names. */
const CHANGES: Record<string, [(fd: number) => void, Range[]]> = {
  'writes here and there': [
    (fd) => {
      for (const at of [50_000, 10, 99_990]) writeSync(fd, 'x'.repeat(20), at);
    },
    [
      { offset: 50_000, length: 20 },
      { offset: 10, length: 20 },
      { offset: 99_990, length: 20 },
    ],
  ],
  'writes one behind the other': [
    (fd) => {
      for (let at = 0; at < 10; at++) writeSync(fd, 'x'.repeat(1000), 30_000 + at * 1000);
    },
    [{ offset: 30_000, length: 10_000 }],
  ],
  'writes to very many places': [
    (fd) => {
      for (let at = 0; at < 200; at++) writeSync(fd, 'x', at * 300);
    },
    EVERYTHING,
  ],
  'a cut': [
    (fd) => {
      ftruncateSync(fd, 500);
      writeSync(fd, 'x', 0);
    },
    EVERYTHING,
  ],
  'a hole': [
    (fd) => {
      assert.equal(fallocate(fd, PUNCH_HOLE, 4096, 8192), 0);
    },
    [{ offset: 4096, length: 8192 }],
  ],
  'a copied range': [
    (fd) => {
      assert.equal(copyFileRange(fd, 0, fd, 60_000, 5000), 5000);
    },
    [{ offset: 60_000, length: 5000 }],
  ],
};

describe('CLOSE records', () => {
  let host: MountedHost;
  let reader: KmlReader;
  let root = -1;
  let next = 1;
  let count = 0;

  before(async () => {
    host = await MountedHost.make();
    await host.mount();
    root = openSync(host.state.lowerPath, 'r');
    reader = KmlReader.openFileset(root, FILESET);
  });
  after(async () => {
    reader.close();
    closeSync(root);
    try {
      await host.unmountAndCheck();
    } finally {
      await host.remove();
    }
  });

  /** Records since this was asked last. */
  function records(): JournalRecord[] {
    const upto = reader.scan().tail.recno;
    const found = reader.read(next, { records: 1000, bytes: 2 ** 22 }, upto);
    next = found.next;
    return found.records.map(({ record }) => record);
  }

  /** The ranges of each CLOSE since then. */
  function closes(): (readonly Range[])[] {
    return records().flatMap(({ body }) => (body.op === Opcode.CLOSE ? [body.ranges] : []));
  }

  function newFile(): string {
    const path = join(host.mountPoint, `f${++count}`);
    writeFileSync(path, 'a'.repeat(SIZE));
    records();
    return path;
  }

  for (const [what, [change, ranges]] of Object.entries(CHANGES)) {
    it(`name the bytes of ${what}`, () => {
      const fd = openSync(newFile(), 'r+');
      change(fd);
      assert.deepEqual(closes(), []);
      closeSync(fd);
      assert.deepEqual(closes(), [ranges]);
    });
  }

  it('name the same for who writes while others read', () => {
    for (const [what, [change, ranges]] of Object.entries(CHANGES)) {
      const path = newFile();
      const reading = openSync(path, 'r');
      const fd = openSync(path, 'r+');
      change(fd);
      closeSync(fd);
      // It could have been mapped, too; then nobody knows.
      assert.deepEqual(closes(), [EVERYTHING], what);
      const writing = openSync(path, constants.O_WRONLY);
      if (what === 'a copied range') writeSync(writing, 'x'.repeat(5000), 60_000);
      else change(writing);
      closeSync(writing);
      closeSync(reading);
      assert.deepEqual(closes(), [ranges], what);
    }
  });

  it('are of contents that nobody gets while they are being changed, whatever else changes', () => {
    const contents = new LowerContents(root);
    const path = join(host.mountPoint, `f${++count}`);
    const isThere = (record: JournalRecord | undefined): boolean => {
      assert.ok(record?.body.op === Opcode.CLOSE);
      const lower = contents.open(record, record.body);
      if (lower >= 0) closeSync(lower);
      return lower >= 0;
    };
    records();
    writeFileSync(path, 'one');
    const first = records().at(-1);
    chmodSync(path, 0o640);
    assert.ok(isThere(first));
    const fd = openSync(path, 'r+');
    writeSync(fd, 'two');
    fchmodSync(fd, 0o600);
    utimesSync(path, 1, 1);
    assert.equal(setXattr(path, 'user.a', 'x'), 0);
    records();
    assert.ok(!isThere(first));
    closeSync(fd);
    assert.deepEqual([isThere(first), isThere(records().at(-1))], [false, true]);
  });

  it('come when nothing has the file any more that could write it', async () => {
    const fd = openSync(newFile(), 'r+');
    const map = new Mapping(fd, 20_000, true);
    closeSync(fd);
    assert.deepEqual(closes(), []);
    map.write(5000, 'x');
    map.unmap();
    // The kernel tells of the end some time after.
    let found = closes();
    for (let i = 0; i < 100 && found.length === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      found = closes();
    }
    assert.deepEqual(found, [[{ offset: 4096, length: 4096 }]]);
  });

  it('come with fsync and with each synchronous write, not only at the end', () => {
    const path = newFile();
    const fd = openSync(path, 'r+');
    writeSync(fd, 'x', 7);
    fsyncSync(fd);
    assert.deepEqual(closes(), [[{ offset: 7, length: 1 }]]);
    fsyncSync(fd);
    closeSync(fd);
    assert.deepEqual(closes(), []);
    for (const others of [0, 1]) {
      const reading = Array.from({ length: others }, () => openSync(path, 'r'));
      const sync = openSync(path, constants.O_WRONLY | constants.O_SYNC);
      writeSync(sync, 'xyz', 100);
      assert.deepEqual(closes(), [[{ offset: 100, length: 3 }]]);
      writeSync(sync, 'xyz', 200);
      assert.deepEqual(closes(), [[{ offset: 200, length: 3 }]]);
      for (const each of [sync, ...reading]) closeSync(each);
      assert.deepEqual(closes(), []);
    }
  });

  it('do not come where nothing was written', () => {
    const path = newFile();
    for (const flag of ['r', 'r+', 'a']) closeSync(openSync(path, flag));
    assert.deepEqual(records(), []);
  });
});
