import assert from 'node:assert/strict';
import { fstatSync, ftruncateSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import { Kml, KmlReader, realDisk, type TrimRules } from '../../../src/core/journal/index.js';
import { newKmlHeader, writeKmlHeader } from '../../../src/core/journal/kml-header.js';
import { HEADER_BYTES } from '../../../src/core/journal/log-file.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { E } from '../../../src/core/system/errno.js';
import {
  anyBody,
  anyHead,
  FaultyDisk,
  headOf,
  LOG_ID,
  mkdirOf,
  Scratch,
  upTo,
  xattrOf,
} from './support.js';

function fill(kml: Kml, count: number): void {
  for (let i = 0; i < count; i++) {
    assert.equal(kml.append(headOf(kml.next), mkdirOf(`d${kml.next}`)), kml.end.recno);
  }
}

function isDamage(offset: number) {
  return (error: unknown): boolean =>
    error instanceof IzoError &&
    error.code === 'journal-damaged' &&
    error.message.includes(`at byte ${offset}:`) &&
    error.remedy === 'izo recovery';
}

describe('Kml', () => {
  let scratch: Scratch;
  beforeEach(() => (scratch = new Scratch()));
  afterEach(() => {
    scratch.done();
  });

  it('numbers records from 1 and goes on after reopening', () => {
    const fd = scratch.newKml();
    const kml = Kml.open(fd);
    assert.deepEqual(kml.end, { log: LOG_ID, recno: 0, checksum: 0 });
    assert.equal(kml.lastRecord(), undefined);
    fill(kml, 3);
    assert.equal(kml.next, 4);
    assert.equal(kml.release(), 0);
    const again = Kml.open(fd);
    assert.deepEqual(again.end, kml.end);
    assert.equal(again.found.kind, 'clean');
    assert.deepEqual(again.lastRecord(), {
      head: { ...headOf(3), recno: 3 },
      body: mkdirOf('d3'),
    });
    assert.equal(again.append(headOf(4), mkdirOf('d4')), 4);
  });

  it('gives no number twice after a crash, whatever that has lost', () => {
    const fd = scratch.newKml();
    const kml = Kml.open(fd);
    fill(kml, 2);
    const intact = scratch.read('kml').length;
    fill(kml, 3);
    ftruncateSync(fd, intact);
    const again = Kml.open(fd);
    assert.equal(again.end.recno, 2);
    const { next } = again;
    assert.ok(next > 5, `record ${next} would come next`);
    assert.equal(again.append(headOf(next), mkdirOf('after')), next);
    again.takeBack();
    assert.equal(again.append(headOf(next), mkdirOf('after')), next);
    assert.equal(again.append(headOf(next + 1), mkdirOf('more')), next + 1);
    const reader = new KmlReader(scratch.open('kml', 'r'));
    const { records } = reader.read(3, { records: 9, bytes: 1e6 }, next + 1);
    assert.deepEqual(
      records.map(({ record }) => record.head.recno),
      [next, next + 1],
    );
    assert.equal(reader.positionAt(3), undefined);
    assert.deepEqual(reader.positionAt(next + 1), again.end);
    const before = reader.positionAt(2);
    for (const recno of [3, 4, next]) {
      assert.deepEqual(reader.around(recno, next + 1), { before, next });
    }
    assert.deepEqual(reader.around(3, 2), { before, next: undefined });
    assert.deepEqual(reader.around(1, next), {
      before: { ...again.end, recno: 0, checksum: 0 },
      next: 1,
    });
  });

  it('writes nothing whose number it cannot keep', () => {
    const disk = new FaultyDisk();
    const fd = scratch.newKml();
    const kml = Kml.open(fd, disk);
    for (const operation of ['kml.header', 'kml.sync'] as const) {
      disk.failing.set(operation, { errno: E.EIO });
      assert.equal(kml.append(headOf(1), mkdirOf('d1')), -E.EIO);
      assert.equal(scratch.read('kml').length, HEADER_BYTES);
      disk.failing.clear();
    }
    assert.equal(kml.append(headOf(1), mkdirOf('d1')), 1);
  });

  it('has a position that stands for the whole history', () => {
    const ends = ['one', 'other'].map((first) => {
      const kml = Kml.open(scratch.newKml(first));
      kml.append(headOf(1), mkdirOf(first));
      kml.append(headOf(2), mkdirOf('same'));
      return kml.end;
    });
    assert.equal(ends[0]?.recno, ends[1]?.recno);
    assert.notEqual(ends[0]?.checksum, ends[1]?.checksum);
  });

  it('takes a record back as if it had never been', () => {
    const kml = Kml.open(scratch.newKml());
    fill(kml, 2);
    const before = { end: kml.end, bytes: scratch.read('kml') };
    kml.append(headOf(3), mkdirOf('the operation of this one fails'));
    kml.takeBack();
    assert.deepEqual({ end: kml.end, bytes: scratch.read('kml') }, before);
    fill(kml, 1);
    const straight = Kml.open(scratch.newKml('straight'));
    fill(straight, 3);
    assert.deepEqual(scratch.read('kml'), scratch.read('straight'));
    assert.throws(() => {
      kml.takeBack();
      kml.takeBack();
    }, /only the last record/);
  });

  it('is as before after an append that the disk had no room for', () => {
    const disk = new FaultyDisk();
    const fd = scratch.newKml();
    const kml = Kml.open(fd, disk);
    fill(kml, 2);
    const before = { end: kml.end, bytes: scratch.read('kml') };
    for (const fault of [{ errno: E.ENOSPC }, { after: 0 }, { after: 1 }, { after: 100 }]) {
      disk.failing.set('kml.append', fault);
      assert.equal(kml.append(headOf(3), mkdirOf('d3')), -E.ENOSPC);
      assert.deepEqual({ end: kml.end, bytes: scratch.read('kml') }, before);
    }
    disk.failing.clear();
    fill(kml, 1);
    assert.equal(Kml.open(fd).found.kind, 'clean');
  });

  it('appends nothing over what could not be truncated, until it can be', () => {
    const disk = new FaultyDisk();
    const fd = scratch.newKml();
    const kml = Kml.open(fd, disk);
    fill(kml, 2);
    kml.append(headOf(3), mkdirOf('a long name, which leaves more bytes than the next record has'));
    disk.failing.set('kml.takeBack', { errno: E.EIO });
    kml.takeBack();
    assert.equal(kml.append(headOf(3), mkdirOf('d')), -E.EIO);
    assert.equal(kml.end.recno, 2);
    disk.failing.clear();
    fill(kml, 1);
    assert.deepEqual(Kml.open(fd).end, kml.end);
  });

  it('cuts a last record that was torn at any byte, and keeps all others', () => {
    const whole = Kml.open(scratch.newKml('whole'));
    fill(whole, 4);
    const keep = whole.size;
    const { end } = whole;
    fill(whole, 1);
    const bytes = scratch.read('whole');
    const fd = scratch.open('torn', 'w+');
    for (let size = keep + 1; size < bytes.length; size++) {
      scratch.write('torn', bytes.subarray(0, size));
      const kml = Kml.open(fd);
      assert.equal(kml.found.kind, 'torn-tail');
      assert.equal(kml.found.bytes, size - keep);
      assert.deepEqual(kml.end, end);
      assert.ok(scratch.read('torn').equals(bytes.subarray(0, keep)));
      fill(kml, 1);
      assert.ok(kml.end.recno > end.recno + 1, 'its number may be known to a peer');
      assert.equal(Kml.open(fd).found.kind, 'clean');
    }
  });

  it('cuts a tail that the crash left as zeros, or as something else', () => {
    const fd = scratch.newKml();
    const kml = Kml.open(fd);
    fill(kml, 2);
    const bytes = scratch.read('kml');
    for (const tail of [Buffer.alloc(4096), Buffer.alloc(152, 0x58), Buffer.alloc(13, 1)]) {
      scratch.write('kml', Buffer.concat([bytes, tail]));
      assert.equal(Kml.open(fd).found.kind, 'torn-tail');
      assert.ok(scratch.read('kml').equals(bytes));
    }
  });

  it('refuses a log with damage before good records, and does not touch it', () => {
    const fd = scratch.newKml();
    fill(Kml.open(fd), 4);
    const bytes = scratch.read('kml');
    const length = bytes.readUInt32LE(HEADER_BYTES);
    const second = HEADER_BYTES + length;
    for (let at = second; at < second + length; at++) {
      const bad = Buffer.from(bytes);
      bad[at] = (bad[at] ?? 0) ^ 1;
      scratch.write('kml', bad);
      const reader = new KmlReader(scratch.open('kml', 'r'));
      assert.throws(() => reader.read(1, { records: 9, bytes: 1e6 }, 3), isDamage(second));
      assert.deepEqual(reader.read(1, { records: 1, bytes: 1e6 }, 3).next, 2);
      const scan = reader.scan();
      assert.equal(scan.kind, 'damaged');
      assert.deepEqual([scan.tail.recno, scan.tail.offset], [1, second]);
      ftruncateSync(fd, bytes.length - 1);
      assert.throws(() => Kml.open(fd), isDamage(second));
      assert.ok(scratch.read('kml').equals(bad.subarray(0, -1)));
    }
  });

  it('notices a record that was put in from another history', () => {
    const other = Kml.open(scratch.newKml('other'));
    other.append(headOf(9), mkdirOf('e1'));
    other.append(headOf(2), mkdirOf('d2'));
    const fd = scratch.newKml();
    fill(Kml.open(fd), 2);
    const mixed = scratch.read('kml');
    const second = HEADER_BYTES + mixed.readUInt32LE(HEADER_BYTES);
    scratch.read('other').copy(mixed, second, second);
    scratch.write('kml', mixed);
    assert.throws(() => Kml.open(fd), isDamage(second));
    assert.ok(scratch.read('kml').equals(mixed));
  });

  it('refuses a header that is damaged, foreign, or from a later version', () => {
    const fd = scratch.newKml();
    const bytes = scratch.read('kml');
    for (let at = 0; at < HEADER_BYTES; at++) {
      const bad = Buffer.from(bytes);
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      scratch.write('kml', bad);
      assert.throws(() => Kml.open(fd), isDamage(0));
    }
    scratch.write('kml', 'short');
    assert.throws(() => Kml.open(fd), isDamage(0));
  });

  it('never throws on garbage after the header', () => {
    const fd = scratch.newKml();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
        ftruncateSync(fd, 0);
        writeKmlHeader(realDisk, fd, newKmlHeader(LOG_ID));
        scratch.write('kml', Buffer.concat([scratch.read('kml'), Buffer.from(bytes)]));
        assert.equal(Kml.open(fd).end.recno, 0);
        assert.equal(scratch.read('kml').length, HEADER_BYTES);
      }),
    );
  });

  it('reports what sync says', () => {
    const disk = new FaultyDisk();
    const kml = Kml.open(scratch.newKml(), disk);
    assert.equal(kml.sync(), 0);
    disk.failing.set('kml.sync', { errno: E.EIO });
    assert.equal(kml.sync(), -E.EIO);
  });

  it('trims, and goes on numbering', () => {
    const fd = scratch.newKml();
    const kml = Kml.open(fd);
    fill(kml, 5);
    const { end } = kml;
    kml.trim(upTo(0));
    kml.trim(upTo(3));
    assert.equal(kml.header.firstRecno, 4);
    assert.deepEqual(kml.end, end);
    assert.equal(kml.release(), 0);
    const reopened = Kml.open(fd);
    assert.deepEqual(reopened.end, end);
    const reader = new KmlReader(scratch.open('kml', 'r'));
    assert.equal(reader.scan().kind, 'clean');
    reopened.trim(upTo(5));
    assert.equal(reopened.lastRecord(), undefined);
    assert.deepEqual(Kml.open(fd).end, end);
    assert.equal(Kml.open(fd).append(headOf(6), mkdirOf('d6')), 6);
    assert.equal(reader.scan().kind, 'clean');
  });

  it('keeps what somebody lacks, and of the rest a history, up to what may pile up at all', () => {
    const kml = Kml.open(scratch.newKml());
    while (kml.end.recno < 20) kml.append(headOf(kml.next), mkdirOf('same'));
    const each = (kml.size - HEADER_BYTES) / 20;
    const trimmed = (rules: Partial<TrimRules>): number => {
      assert.equal(kml.trim({ ...upTo(0), ...rules }), false);
      return kml.header.firstRecno;
    };
    assert.equal(trimmed({ acknowledged: 4, history: 16 * each + 1 }), 4);
    assert.equal(trimmed({ acknowledged: 9, history: 12 * each }), 9);
    assert.equal(trimmed({ acknowledged: 20, history: 12 * each - 1, least: each + 1 }), 9);
    assert.equal(trimmed({ acknowledged: 10 }), 11);
    assert.equal(trimmed({ acknowledged: 10, history: 2 * each, backlog: 8 * each }), 13);
    assert.equal(trimmed({ acknowledged: 20, history: 9 * each, backlog: 6 * each }), 15);
    assert.deepEqual(Kml.open(kml.fd).end, kml.end);
  });

  it('trims a long log in pieces, and gives the disk its room back', () => {
    const fd = scratch.newKml();
    const kml = Kml.open(fd);
    const value = Buffer.alloc(60_000, 1);
    while (kml.size < 6 * 2 ** 20) kml.append(headOf(kml.next), xattrOf(value));
    const before = fstatSync(fd).blocks;
    let pieces = 1;
    while (kml.trim({ ...upTo(kml.end.recno), history: 2 ** 20 })) pieces++;
    assert.ok(pieces >= 3, `${pieces} pieces`);
    const left = kml.size - kml.header.firstOffset;
    assert.ok(left >= 2 ** 20 && left < 2 ** 20 + 70_000, `${left} bytes`);
    assert.ok(fstatSync(fd).blocks < before / 4, 'the blocks are still there');
    assert.deepEqual(Kml.open(fd).end, kml.end);
  });

  it('trims nothing behind damage', () => {
    const fd = scratch.newKml();
    const kml = Kml.open(fd);
    fill(kml, 4);
    const { firstOffset } = kml.header;
    writeSync(fd, Buffer.alloc(1, 255), 0, 1, firstOffset + 30);
    assert.throws(() => kml.trim(upTo(3)), isDamage(firstOffset));
    assert.equal(kml.header.firstRecno, 1);
  });

  it('behaves as a list does, whatever is appended, taken back, trimmed and reopened', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ head: anyHead, body: anyBody }) },
      { weight: 2, arbitrary: fc.constantFrom('take back', 'reopen', 'crash', 'trim') },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const fd = scratch.newKml();
        let kml = Kml.open(fd);
        const list: { head: { recno: number } }[] = [];
        let canTakeBack = false;
        let given = 0;
        for (const action of steps) {
          if (action === 'reopen' || action === 'crash') {
            if (action === 'reopen') assert.equal(kml.release(), 0);
            kml = Kml.open(fd);
          } else if (action === 'trim') kml.trim(upTo(list.at(-2)?.head.recno ?? 0));
          else if (action === 'take back') {
            if (!canTakeBack) continue;
            kml.takeBack();
            list.pop();
          } else if (typeof action === 'object') {
            const recno = kml.append(action.head, action.body);
            assert.ok(recno > (list.at(-1)?.head.recno ?? 0));
            assert.ok(recno >= given);
            given = recno;
            list.push({ ...action, head: { ...action.head, recno } });
          }
          canTakeBack = typeof action === 'object';
        }
        const end = list.at(-1)?.head.recno ?? 0;
        assert.equal(kml.end.recno, end);
        const reader = new KmlReader(fd);
        const first = reader.header.firstRecno;
        const limits = { records: 1000, bytes: 1e9 };
        const { records } = reader.read(first, limits, end);
        assert.deepEqual(
          records.map(({ record }) => record),
          list.filter(({ head }) => head.recno >= first),
        );
      }),
      { numRuns: 150 },
    );
  });
});
