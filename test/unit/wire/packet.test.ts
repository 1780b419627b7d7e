import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ProtocolError } from '../../../src/core/wire/errors.js';
import {
  encodeHeader,
  HEADER_BYTES,
  MAGIC,
  PacketDecoder,
  PacketType,
  type Packet,
} from '../../../src/core/wire/packet.js';
import { wireLimits } from '../../../src/core/wire/wire-limits.js';

const LIMITS = wireLimits({ packetBytes: 4096, chunkBytes: 2048, windowBytes: 8192 });
const TOKEN = fc.integer({ min: 1, max: 0xffffffff });

function payload(least: number, most: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength: least, maxLength: most }).map((b) => Buffer.from(b));
}

const request = fc
  .tuple(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 0, max: 9 }), payload(0, 300))
  .map(([kind, ctoken, bytes]): Packet => {
    return { type: PacketType.REQ, kind, ctoken, stoken: 0, payload: bytes };
  });
const answer = fc
  .tuple(
    fc.constantFrom(PacketType.REP, PacketType.DAT, PacketType.EOD),
    TOKEN,
    TOKEN,
    payload(4, 2048),
  )
  .map(([type, ctoken, stoken, bytes]): Packet => {
    return { type, kind: 0, ctoken, stoken, payload: bytes };
  });
const grant = fc.tuple(TOKEN, payload(4, 4)).map(([ctoken, bytes]): Packet => {
  return { type: PacketType.SND, kind: 0, ctoken, stoken: 0, payload: bytes };
});
const packets = fc.array(fc.oneof(request, answer, grant), { maxLength: 12 });

function encode(packet: Packet): Buffer {
  return Buffer.concat([encodeHeader(packet, packet.payload.length), packet.payload]);
}

/** Cuts `bytes` into pieces of the given sizes, taken in turn. */
function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    // A copy, so that a view that outlives its piece would be noticed.
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
}

function decode(bytes: Buffer, sizes: readonly number[]): Packet[] {
  const decoder = new PacketDecoder(LIMITS);
  const decoded: Packet[] = [];
  for (const piece of pieces(bytes, sizes)) decoded.push(...decoder.push(piece));
  return decoded;
}

/** A header with some fields changed behind the encoder's back. */
function header(change: (bytes: Buffer) => void): Buffer {
  const head = { type: PacketType.REQ, kind: 1, ctoken: 1, stoken: 0 };
  const bytes = encodeHeader(head, 0);
  change(bytes);
  return bytes;
}

describe('wire packets', () => {
  it('come out as they went in, however the bytes are cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(packets, sizes, (sent, cuts) => {
        assert.deepEqual(decode(Buffer.concat(sent.map(encode)), cuts), sent);
      }),
    );
  });

  it('come out when their last byte has come, not later', () => {
    const packet: Packet = {
      type: PacketType.REQ,
      kind: 2,
      ctoken: 1,
      stoken: 0,
      payload: Buffer.alloc(0),
    };
    assert.deepEqual(decode(encode(packet), [HEADER_BYTES]), [packet]);
    assert.deepEqual(decode(encode(packet), [1]), [packet]);
  });

  it('made of garbage cause ProtocolError and nothing else', () => {
    const garbage = fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b));
    const almost = fc
      .tuple(request, fc.nat(HEADER_BYTES - 1), fc.integer({ min: 0, max: 255 }), garbage)
      .map(([packet, at, value, more]) => {
        const bytes = encode(packet);
        bytes[at] = value;
        return Buffer.concat([bytes, more]);
      });
    fc.assert(
      fc.property(fc.oneof(garbage, almost), (bytes) => {
        try {
          decode(bytes, [33]);
        } catch (error) {
          assert(error instanceof ProtocolError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('are refused by their header when it breaks a rule', () => {
    const breaches: ((bytes: Buffer) => void)[] = [
      (b) => b.writeUInt8(MAGIC + 1, 0),
      (b) => b.writeUInt8(0, 1),
      (b) => b.writeUInt8(PacketType.EOR, 1),
      (b) => b.writeUInt8(PacketType.MSG, 1),
      (b) => b.writeUInt8(8, 1),
      (b) => b.writeUInt16LE(0, 2),
      (b) => b.writeUInt32LE(5, 12),
      (b) => b.writeUInt32LE(LIMITS.packetBytes - HEADER_BYTES + 1, 4),
      (b) => b.writeUInt32LE(0xffffffff, 4),
      (b) => b.fill(PacketType.REP, 1, 2).fill(0, 2, 4).fill(0, 4, 8).fill(1, 12),
      (b) => b.fill(PacketType.DAT, 1, 2).fill(0, 2, 4).fill(0, 4, 8).fill(1, 12),
      (b) => b.fill(PacketType.DAT, 1, 2).fill(0, 2, 4).fill(0xff, 4, 6).fill(1, 12),
    ];
    for (const breach of breaches) assert.throws(() => decode(header(breach), [16]), ProtocolError);
  });

  it('that are too big are refused before anything is allocated for them', () => {
    const limits = wireLimits();
    const bytes = header((b) => b.writeUInt32LE(0xfffffff0, 4));
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100; i++) {
      assert.throws(() => [...new PacketDecoder(limits).push(bytes)], ProtocolError);
    }
    assert(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
  });

  it('of many bytes are put together in linear time', () => {
    const limits = wireLimits();
    const size = limits.packetBytes - HEADER_BYTES;
    const head = { type: PacketType.REQ, kind: 3, ctoken: 1, stoken: 0 };
    const bytes = Buffer.concat([encodeHeader(head, size), Buffer.alloc(size, 5)]);
    const decoder = new PacketDecoder(limits);
    const start = performance.now();
    const decoded = [...pieces(bytes, [100])].flatMap((piece) => [...decoder.push(piece)]);
    assert.equal(decoded[0]?.payload.length, size);
    // 20,000 pieces: copying what has come so far for each of them would be 20 GB.
    assert(performance.now() - start < 1_000);
  });

  it('do not keep a big piece alive for a small payload', () => {
    const small = {
      type: PacketType.REQ,
      kind: 3,
      ctoken: 1,
      stoken: 0,
      payload: Buffer.from('x'),
    };
    const one = encode(small);
    // Not from Node's pool, which small buffers share.
    const piece = Buffer.allocUnsafeSlow(one.length * 100).fill(one);
    for (const packet of new PacketDecoder(LIMITS).push(piece)) {
      assert(packet.payload.buffer !== piece.buffer);
    }
  });
});
