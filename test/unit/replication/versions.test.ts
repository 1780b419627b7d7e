import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LIMITS } from '../../../src/core/model/limits.js';
import {
  Opcode,
  type CloseBody,
  type JournalRecord,
  type Range,
} from '../../../src/core/model/records.js';
import { areNormal, normalRanges, totalBytes } from '../../../src/core/model/ranges.js';
import { Versions } from '../../../src/core/replication/versions.js';

const ORIGIN = 7;
const OBJECT = { replica: ORIGIN, number: 1 };

function close(recno: number, before: number, size: number, ranges: readonly Range[]) {
  const body: CloseBody = {
    ...{ op: Opcode.CLOSE, path: 'file', size, mode: 0o644, ranges },
    mtime: { sec: 0, nsec: 0 },
    handle: { ino: 0, generation: 0 },
  };
  const actor = { uid: 0, gid: 0, pid: 0, groups: [] };
  const head = {
    ...{ recno, origin: ORIGIN, originRecno: recno, time: body.mtime, actor, object: OBJECT },
    before: { replica: ORIGIN, recno: before },
  };
  return { record: { head, body } satisfies JournalRecord, body };
}

/** One CLOSE: what is written, or everything at once; and how its contents get to the other host. */
const versions = fc.array(
  fc.record({
    writes: fc.array(fc.tuple(fc.nat(63), fc.integer({ min: 1, max: 16 })), { maxLength: 4 }),
    everything: fc.boolean(),
    how: fc.constantFrom('fetched', 'superseded', 'inline', 'lost'),
  }),
  { maxLength: 20 },
);

describe('versions of files on their way', () => {
  it('what is fetched in parts makes the same file, whatever came before', () => {
    fc.assert(
      fc.property(versions, (updates) => {
        const followed = new Versions();
        const here = { bytes: Buffer.alloc(64), version: 1 };
        let bytes = Buffer.alloc(64);
        let parts = 0;
        updates.forEach(({ writes, everything, how }, i) => {
          const recno = i + 2;
          if (everything) bytes = Buffer.alloc(1 + ((recno * 37) % 90), recno);
          const ranges = writes.map(([offset, length]) => ({ offset, length }));
          for (const { offset, length } of ranges) {
            const end = Math.max(bytes.length, offset + length);
            bytes = Buffer.concat([bytes], end);
            bytes.fill(recno, offset, offset + length);
          }
          const told = everything ? [] : ranges;
          const { record, body } = close(recno, recno - 1, bytes.length, told);
          if (how === 'superseded') {
            followed.superseded(record, body);
            return;
          }
          const changes = how === 'fetched' ? followed.changes(record, body) : undefined;
          followed.arrived(record);
          if (changes === undefined) {
            // Nothing may be taken for granted where this one gets lost: that ends the session.
            here.bytes = Buffer.from(bytes);
          } else if (changes.promised || changes.base.recno === here.version) {
            assert.equal(changes.base.recno, here.version, 'what is promised is there');
            assert.ok(areNormal(changes.ranges, bytes.length));
            parts++;
            here.bytes = Buffer.concat([here.bytes], bytes.length);
            for (const { offset, length } of changes.ranges) {
              bytes.copy(here.bytes, offset, offset, offset + length);
            }
          } else here.bytes = Buffer.from(bytes);
          here.version = recno;
          assert.deepEqual(here.bytes, bytes);
        });
        fc.pre(parts > 0);
      }),
      { numRuns: 300 },
    );
  });

  it('ask for all of it where most has changed, or nobody knows what', () => {
    const part = [{ offset: 0, length: 10 }];
    const asked = (size: number, ranges: readonly Range[], before = 1) => {
      const { record, body } = close(2, before, size, ranges);
      return new Versions().changes(record, body)?.ranges;
    };
    assert.deepEqual(asked(20, part), part);
    assert.equal(asked(19, part), undefined);
    assert.equal(asked(1000, []), undefined);
    const many = Array.from({ length: LIMITS.fetchRanges + 1 }, (_, i) => ({
      offset: i * 1000,
      length: 1,
    }));
    assert.equal(asked(1e6, many), undefined);
    assert.deepEqual(asked(1e6, many.slice(1)), many.slice(1));
  });

  it('never take a file without a version for one that is known', () => {
    const { record, body } = close(2, 0, 1000, [{ offset: 0, length: 1 }]);
    const none = { replica: 0, recno: 0 };
    const unknown = { ...record, head: { ...record.head, before: none } };
    assert.equal(new Versions().changes(unknown, body), undefined);
  });

  it('forget the oldest of very many files, and then take all of them', () => {
    const followed = new Versions();
    const one = close(2, 1, 1000, [{ offset: 0, length: 1 }]);
    followed.superseded(one.record, one.body);
    for (let number = 2; number < 5000; number++) {
      const { record } = close(number, 1, 10, []);
      const object = { replica: ORIGIN, number };
      followed.arrived({ ...record, head: { ...record.head, object } });
    }
    const next = close(3, 2, 1000, [{ offset: 5, length: 1 }]);
    const changes = followed.changes(next.record, next.body);
    // What version 2 wrote is forgotten: only who has version 2 may go without it.
    assert.deepEqual(changes, {
      base: { replica: ORIGIN, recno: 2 },
      ranges: [{ offset: 5, length: 1 }],
      promised: false,
    });
  });

  it('ranges are brought into order, and end where the file does', () => {
    const range = fc.record({ offset: fc.nat(100), length: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(range), fc.nat(110), (ranges, size) => {
        const normal = normalRanges(ranges, size);
        assert.ok(areNormal(normal, size));
        const inside = (list: readonly Range[], at: number): boolean =>
          list.some(({ offset, length }) => offset <= at && at < offset + length);
        for (let at = 0; at < 140; at++) {
          assert.equal(inside(normal, at), at < size && inside(ranges, at), `byte ${at}`);
        }
        assert.equal(totalBytes(normal) <= size, true);
      }),
    );
  });

  it('ranges that nobody may ask for', () => {
    const bad: Range[][] = [
      [{ offset: 0, length: 0 }],
      [{ offset: 90, length: 11 }],
      [
        { offset: 0, length: 10 },
        { offset: 5, length: 10 },
      ],
      [
        { offset: 50, length: 10 },
        { offset: 5, length: 10 },
      ],
      [{ offset: Number.MAX_SAFE_INTEGER, length: Number.MAX_SAFE_INTEGER }],
    ];
    for (const ranges of bad) assert.equal(areNormal(ranges, 100), false, JSON.stringify(ranges));
  });
});
