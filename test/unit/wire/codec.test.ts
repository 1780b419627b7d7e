import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AssertionFailure } from '../../../src/core/model/assert.js';
import { Reader, Writer } from '../../../src/core/wire/codec.js';
import { ProtocolError } from '../../../src/core/wire/errors.js';

const LIMIT = 300;

interface Sort {
  write(writer: Writer, value: unknown): unknown;
  read(reader: Reader): unknown;
  values: fc.Arbitrary<unknown>;
}

function sort<T>(
  values: fc.Arbitrary<T>,
  write: (writer: Writer, value: T) => unknown,
  read: (reader: Reader) => T,
): Sort {
  return { values, read, write: (writer, value) => write(writer, value as T) };
}

const latin1 = fc.uint8Array({ maxLength: LIMIT }).map((b) => Buffer.from(b).toString('latin1'));
const bytes = fc.uint8Array({ maxLength: LIMIT }).map((b): Buffer => Buffer.from(b));
const time = fc
  .tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 999_999_999 }))
  .map(([sec, nsec]) => ({ sec, nsec }));

/** One entry for each thing the codec can carry. */
const SORTS: Record<string, Sort> = {
  u8: sort(
    fc.integer({ min: 0, max: 0xff }),
    (w, v) => w.u8(v),
    (r) => r.u8(),
  ),
  bool: sort(
    fc.boolean(),
    (w, v) => w.bool(v),
    (r) => r.bool(),
  ),
  u16: sort(
    fc.integer({ min: 0, max: 0xffff }),
    (w, v) => w.u16(v),
    (r) => r.u16(),
  ),
  u32: sort(
    fc.integer({ min: 0, max: 0xffffffff }),
    (w, v) => w.u32(v),
    (r) => r.u32(),
  ),
  i32: sort(
    fc.integer(),
    (w, v) => w.i32(v),
    (r) => r.i32(),
  ),
  u48: sort(
    fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    (w, v) => w.u48(v),
    (r) => r.u48(),
  ),
  u64: sort(
    fc.maxSafeNat(),
    (w, v) => w.u64(v),
    (r) => r.u64(),
  ),
  i64: sort(
    fc.maxSafeInteger(),
    (w, v) => w.i64(v),
    (r) => r.i64(),
  ),
  time: sort(
    time,
    (w, v) => w.time(v),
    (r) => r.time(),
  ),
  bytes: sort(
    bytes,
    (w, v) => w.bytes(v, LIMIT),
    (r) => r.bytes(LIMIT),
  ),
  latin1: sort(
    latin1,
    (w, v) => w.latin1(v, LIMIT),
    (r) => r.latin1(LIMIT),
  ),
  list: sort(
    fc.array(latin1, { maxLength: 9 }),
    (w, v) => w.list(v, 9, (item) => w.latin1(item, LIMIT)),
    (r) => r.list(9, () => r.latin1(LIMIT)),
  ),
};

const anyItem = fc
  .constantFrom(...Object.values(SORTS))
  .chain((s) => s.values.map((value) => ({ sort: s, value })));
const anyItems = fc.array(anyItem, { maxLength: 20 });

function written(items: readonly { sort: Sort; value: unknown }[]): Buffer {
  const writer = new Writer(1);
  for (const item of items) item.sort.write(writer, item.value);
  return writer.finish();
}

describe('wire codec', () => {
  it('reads back whatever was written, and nothing is left', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        const reader = new Reader(written(items));
        for (const item of items) assert.deepEqual(item.sort.read(reader), item.value);
        reader.end();
      }),
    );
  });

  it('throws ProtocolError on every truncated payload', () => {
    fc.assert(
      fc.property(anyItems, fc.nat(), (items, cut) => {
        const whole = written(items);
        fc.pre(whole.length > 0);
        const reader = new Reader(whole.subarray(0, cut % whole.length));
        assert.throws(() => {
          for (const item of items) item.sort.read(reader);
        }, ProtocolError);
      }),
    );
  });

  it('throws nothing but ProtocolError on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), anyItems, (garbage, items) => {
        const reader = new Reader(Buffer.from(garbage));
        try {
          for (const item of items) item.sort.read(reader);
          reader.end();
        } catch (error) {
          assert(error instanceof ProtocolError);
        }
      }),
    );
  });

  it('refuses bytes behind the end', () => {
    const reader = new Reader(Buffer.from([1, 2]));
    reader.u8();
    assert.throws(() => {
      reader.end();
    }, ProtocolError);
  });

  it('refuses lengths and counts above the limit, whatever follows', () => {
    const claim = Buffer.alloc(64);
    claim.writeUInt32LE(11);
    assert.throws(() => new Reader(claim).bytes(10), ProtocolError);
    assert.throws(() => new Reader(claim).latin1(10), ProtocolError);
    assert.throws(() => new Reader(claim).list(10, (r) => r.u8()), ProtocolError);
  });

  it('refuses numbers that JavaScript cannot hold', () => {
    const big = Buffer.alloc(8);
    big.writeBigUInt64LE(2n ** 53n);
    assert.throws(() => new Reader(big).u64(), ProtocolError);
    assert.throws(() => new Reader(big).i64(), ProtocolError);
    assert.throws(() => new Reader(Buffer.alloc(8, 0xff)).u64(), ProtocolError);
    const nsec = new Writer().i64(0).u32(1_000_000_000).finish();
    assert.throws(() => new Reader(nsec).time(), ProtocolError);
  });

  it('asserts on values of ours that do not fit', () => {
    const bad: ((w: Writer) => unknown)[] = [
      (w) => w.u8(256),
      (w) => w.u16(-1),
      (w) => w.u32(1.5),
      (w) => w.i32(2 ** 31),
      (w) => w.u48(2 ** 48),
      (w) => w.u64(-1),
      (w) => w.i64(2 ** 53),
      (w) => w.bytes(Buffer.alloc(3), 2),
      (w) => w.latin1('abc', 2),
      (w) => w.latin1('\u0100', 2),
      (w) => w.list([1, 2], 1, () => undefined),
    ];
    for (const write of bad) assert.throws(() => write(new Writer()), AssertionFailure);
  });
});
