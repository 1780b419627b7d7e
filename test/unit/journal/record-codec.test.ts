import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decodeRecord,
  decodeRecordOrThrow,
  encodeRecord,
  recordLength,
  type NewRecordHead,
} from '../../../src/core/journal/index.js';
import { seal } from '../../../src/core/journal/bytes.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { FLAGS_XATTR } from '../../../src/core/model/object-flags.js';
import { LIMITS } from '../../../src/core/model/limits.js';
import { Opcode, type RecordBody } from '../../../src/core/model/records.js';
import { E } from '../../../src/core/system/errno.js';
import { anyBody, anyHead, headOf, mkdirOf } from './support.js';

const RECNO = 7;
const PREVIOUS = 0xfeedbeef;

function encode(head: NewRecordHead, body: RecordBody): Buffer {
  const buffer = Buffer.alloc(LIMITS.recordBytes, 0xaa);
  const length = encodeRecord(buffer, 0, RECNO, PREVIOUS, head, body);
  assert.ok(length > 0, `encodeRecord gave ${length}`);
  return Buffer.from(buffer.subarray(0, length));
}

/** The same record with other bytes in it and the right checksum: what a hostile peer would send. */
function forge(record: Buffer, change: (bytes: Buffer) => void): Buffer {
  const forged = Buffer.from(record);
  change(forged);
  seal(forged, 0, forged.length - 4);
  return forged;
}

describe('record codec', () => {
  it('gives back every record as it was, from any offset, byte for byte the same again', () => {
    fc.assert(
      fc.property(anyHead, anyBody, fc.nat({ max: 3 }), (head, body, gap) => {
        const at = gap * 8;
        const buffer = Buffer.alloc(at + LIMITS.recordBytes, 0xaa);
        const length = encodeRecord(buffer, at, RECNO, PREVIOUS, head, body);
        assert.equal(length, recordLength(head, body));
        assert.equal(length % 8, 0);
        const decoded = decodeRecord(buffer, at, at + length);
        assert.ok(typeof decoded !== 'string');
        assert.deepEqual(decoded.record, { head: { ...head, recno: RECNO }, body });
        assert.deepEqual([decoded.length, decoded.previous], [length, PREVIOUS]);
        const again = Buffer.alloc(length);
        const { recno, ...rest } = decoded.record.head;
        encodeRecord(again, 0, recno, decoded.previous, rest, decoded.record.body);
        assert.ok(again.equals(buffer.subarray(at, at + length)));
      }),
      { numRuns: 2000 },
    );
  });

  it('detects every change of a single byte', () => {
    fc.assert(
      fc.property(anyHead, anyBody, fc.integer({ min: 1, max: 255 }), (head, body, flip) => {
        const record = encode(head, body);
        for (let i = 0; i < record.length; i++) {
          record[i] = (record[i] ?? 0) ^ flip;
          assert.equal(typeof decodeRecord(record, 0), 'string', `byte ${i} of ${body.op}`);
          record[i] = (record[i] ?? 0) ^ flip;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('detects every truncation', () => {
    const record = encode(headOf(1), mkdirOf('a/b'));
    for (let end = 0; end < record.length; end++) {
      assert.equal(typeof decodeRecord(record, 0, end), 'string');
    }
  });

  it('never throws on garbage, nor on records with the right checksum and wrong fields', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        assert.equal(typeof decodeRecord(Buffer.from(bytes), 0), 'string');
      }),
    );
    const places = fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), { minLength: 1 });
    fc.assert(
      fc.property(anyHead, anyBody, places, (head, body, changes) => {
        const forged = forge(encode(head, body), (bytes) => {
          const last = bytes.length - 8;
          for (const [i, value] of changes) bytes[4 + (i % (last - 4))] = value;
        });
        const decoded = decodeRecord(forged, 0);
        if (typeof decoded === 'string') return;
        // What is let through is what the encoder writes: it has the same rules.
        const { recno, ...rest } = decoded.record.head;
        const again = Buffer.alloc(LIMITS.recordBytes);
        encodeRecord(again, 0, recno, decoded.previous, rest, decoded.record.body);
        assert.ok(again.subarray(0, decoded.length).equals(forged));
      }),
      { numRuns: 3000 },
    );
  });

  const forgeries: [string, (bytes: Buffer) => void, RegExp][] = [
    ['another version', (b) => (b[4] = 2), /version/],
    ['an unknown opcode', (b) => (b[5] = 99), /opcode/],
    ['an opcode that InterMezzo never wrote', (b) => (b[5] = 10), /opcode/],
    ['more groups than bytes', (b) => b.writeUInt16LE(200, 6), /fit/],
    ['more groups than allowed', (b) => b.writeUInt16LE(257, 6), /groups/],
    ['recno 0', (b) => b.fill(0, 16, 24), /recno/],
    ['a recno beyond 2^53', (b) => b.fill(0xff, 16, 24), /recno/],
    ['a replica beyond 48 bits', (b) => (b[30] = 1), /origin/],
    ['a billion nanoseconds', (b) => b.writeUInt32LE(1_000_000_000, 48), /time/],
    ['something in the padding', (b) => (b[131] = 1), /padding/],
    ['a reserved field', (b) => (b[60] = 1), /reserved/],
    ['a mode with type bits', (b) => b.writeUInt32LE(0o40755, 104), /mode/],
    ['nobody as owner', (b) => b.writeUInt32LE(0xffffffff, 108), /owner/],
    ['a path longer than the record', (b) => b.writeUInt16LE(500, 116), /fit/],
    ['a path shorter than the record', (b) => b.writeUInt16LE(1, 116), /left over/],
    ['a parent directory', (b) => b.write('../abcdefghi', 118), /path/],
    ['an absolute path', (b) => b.write('/bcdefghijkl', 118), /path/],
    ['an empty component', (b) => b.write('a//defghijkl', 118), /path/],
    ['a NUL', (b) => b.write('a\0cdefghijkl', 118), /path/],
    ["the cache's own directory", (b) => b.write('.intermezzo/', 118), /path/],
  ];
  for (const [what, change, reason] of forgeries) {
    it(`refuses ${what}, though the checksum is right`, () => {
      const record = encode(headOf(1), mkdirOf('abcdefghijkl'));
      const decoded = decodeRecord(forge(record, change), 0);
      assert.ok(typeof decoded === 'string', 'was let through');
      assert.match(decoded, reason);
    });
  }

  it('refuses attributes that are given without being meant', () => {
    const time = { sec: 0, nsec: 0 };
    const body = { op: Opcode.SETATTR, path: '', valid: 1, mode: 0o644, uid: 0, gid: 0 };
    const record = encode(headOf(1), { ...body, atime: time, mtime: time });
    const decoded = decodeRecord(
      forge(record, (b) => b.writeUInt32LE(0, 104)),
      0,
    );
    assert.ok(typeof decoded === 'string', 'was let through');
    assert.match(decoded, /not meant/);
  });

  const refused: [string, RecordBody, number][] = [
    ['the root made', mkdirOf(''), E.EINVAL],
    ['a path out of the fileset', mkdirOf('a/../../b'), E.EINVAL],
    ['a path longer than a record keeps', mkdirOf('abc/'.repeat(4096) + 'd'), E.ENAMETOOLONG],
    ['the root removed', { op: Opcode.RMDIR, path: '' }, E.EINVAL],
    ['a rename to nowhere', { ...renameTo(''), flags: 0 }, E.EINVAL],
    ['unknown rename flags', { ...renameTo('b'), flags: 4 }, E.EINVAL],
    ['flags that no object has', setFlagsTo([0, 0, 0, 1]), E.EINVAL],
    ['flags of another length', setFlagsTo([0x10]), E.EINVAL],
    ['flags taken away', { op: Opcode.DELEXTATTR, path: 'a', name: FLAGS_XATTR }, E.EINVAL],
    ['an attribute without a name', { op: Opcode.DELEXTATTR, path: 'a', name: '' }, E.EINVAL],
  ];
  for (const [what, body, errno] of refused) {
    it(`does not write ${what}`, () => {
      const buffer = Buffer.alloc(LIMITS.recordBytes);
      assert.equal(encodeRecord(buffer, 0, RECNO, PREVIOUS, headOf(1), body), -errno);
      assert.ok(buffer.every((byte) => byte === 0));
    });
  }

  it('leaves out groups beyond the limit, and ranges where there are too many', () => {
    const head = headOf(1);
    const groups = Array.from({ length: 300 }, (_, i) => i);
    const ranges = Array.from({ length: 2000 }, (_, i) => ({ offset: i * 10, length: 1 }));
    const time = { sec: 0, nsec: 0 };
    const handle = { ino: 12, generation: 34 };
    const body = { op: Opcode.CLOSE, path: 'f', size: 9, mtime: time, mode: 0o644, handle, ranges };
    const record = encode({ ...head, actor: { ...head.actor, groups } }, body);
    const decoded = decodeRecordOrThrow(record, 0);
    assert.equal(decoded.record.head.actor.groups.length, LIMITS.actorGroups);
    assert.deepEqual(decoded.record.body, { ...body, ranges: [] });
  });

  it('holds the largest record that the limits allow', () => {
    const groups = Array.from({ length: LIMITS.actorGroups }, () => 1);
    const head = { ...headOf(1), actor: { ...headOf(1).actor, groups } };
    const path = 'p/'.repeat(2047) + 'q';
    const value = Buffer.alloc(LIMITS.xattrValueBytes, 7);
    const name = 'n'.repeat(LIMITS.xattrNameBytes);
    const record = encode(head, { op: Opcode.SETEXTATTR, path, name, value, flags: 0 });
    assert.ok(record.length <= LIMITS.recordBytes);
    assert.notEqual(typeof decodeRecord(record, 0), 'string');
  });

  it('throws for the wire', () => {
    assert.throws(
      () => decodeRecordOrThrow(Buffer.alloc(200), 0),
      (error) => error instanceof IzoError && error.code === 'bad-record',
    );
  });
});

function setFlagsTo(bytes: number[]): RecordBody {
  const value = Buffer.from(bytes);
  return { op: Opcode.SETEXTATTR, path: 'a', name: FLAGS_XATTR, value, flags: 0 };
}

function renameTo(newPath: string): RecordBody & { op: typeof Opcode.RENAME } {
  const replaced = { replica: 0, number: 0 };
  const replacedStamp = { replica: 0, recno: 0 };
  return { op: Opcode.RENAME, path: 'a', newPath, flags: 0, replaced, replacedStamp };
}
