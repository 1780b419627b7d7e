import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DirentSink } from '../../../src/core/fuse/device/dirents.js';
import { shakeHands } from '../../../src/core/fuse/device/init.js';
import { locksOf } from '../../../src/core/fuse/device/kernel-locks.js';
import { withoutSetId } from '../../../src/core/fuse/device/privileges.js';
import {
  FuseOpcode,
  InitFlag,
  InitFlag2,
  InitOut,
} from '../../../src/core/fuse/device/protocol.js';
import { Reply } from '../../../src/core/fuse/device/reply.js';
import { Request } from '../../../src/core/fuse/device/request.js';
import { Attr } from '../../../src/core/system/attr.js';
import { encodeDevice } from '../../../src/core/system/device-numbers.js';
import { copyMemory, Memory } from '../../../src/core/system/native.js';
import { fuseMessage, u32s } from '../../support/fuse/messages.js';

const copied = new Memory(65536);

/** What the kernel would get. */
function payloadOf(reply: Reply, length: number): Buffer {
  copyMemory(reply.payload, copied.address, length);
  return copied.buffer.subarray(0, length);
}

const sink = () => {
  const reply = new Reply();
  return { reply, sink: new DirentSink(reply) };
};

describe('FUSE messages', () => {
  it('reads headers, names and numbers as they come', () => {
    const request = new Request();
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.maxSafeNat(),
        fc.nat(0xffffffff),
        fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)) }),
        (unique, node, uid, name) => {
          const body = Buffer.from(`${name}\0`, 'latin1');
          request.load(fuseMessage(FuseOpcode.LOOKUP, body, { unique, node, uid }));
          const caller = { uid: 0, gid: 0, pid: 0 };
          request.takeCaller(caller);
          assert.deepEqual(
            [request.opcode, request.unique, request.node, caller.uid, request.name(0)],
            [FuseOpcode.LOOKUP, unique, node, uid, name],
          );
        },
      ),
    );
  });

  it('refuses what is shorter than it says, or than a header', () => {
    const request = new Request();
    request.load(fuseMessage(FuseOpcode.FLUSH, u32s(0, 0)));
    assert.equal(request.begin(48), true);
    assert.equal(request.begin(47), false);
    assert.equal(request.begin(8), false);
  });

  it('writes numbers of any sign into 64 bits', () => {
    const reply = new Reply();
    const safe = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(safe, (value) => {
        reply.u64(8, value);
        assert.equal(payloadOf(reply, 16).readBigInt64LE(8), BigInt(value));
        const request = new Request();
        request.load(fuseMessage(1, Buffer.from(payloadOf(reply, 16))));
        assert.equal(request.s64(8), value);
      }),
      { numRuns: 30 },
    );
  });

  it('encodes device numbers as new_encode_dev() does', () => {
    assert.equal(encodeDevice(1, 3), 0x103);
    assert.equal(encodeDevice(259, 70_000), 0x11110370);
    fc.assert(
      fc.property(fc.nat(0xfff), fc.nat(0xfffff), (major, minor) => {
        const device = encodeDevice(major, minor);
        assert.equal((device & 0xfff00) >> 8, major);
        assert.equal((device & 0xff) | ((device >>> 12) & 0xfff00), minor);
      }),
    );
  });

  it('fills directory answers to the limit, never beyond, each entry aligned', () => {
    const { reply, sink: entries } = sink();
    const entry = { node: 7, generation: 1, attr: new Attr() };
    const names = fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 255 }));
    fc.assert(
      fc.property(names, fc.boolean(), fc.integer({ min: 0, max: 9000 }), (all, plus, limit) => {
        entries.begin(plus, limit);
        const added = all.filter((name, i) => {
          if (plus) return entries.add(name, i, 8, i + 1, entry);
          return entries.addBytes(Buffer.from(`..${name}`, 'latin1'), 2, name.length, i, 8, i + 1);
        });
        assert.ok(entries.length <= limit);
        const bytes = payloadOf(reply, entries.length);
        const found: string[] = [];
        for (let at = 0; at < bytes.length;) {
          const head = at + (plus ? 128 : 0);
          const length = bytes.readUInt32LE(head + 16);
          found.push(bytes.toString('latin1', head + 24, head + 24 + length));
          at = head + ((24 + length + 7) & ~7);
          assert.ok(bytes.subarray(head + 24 + length, at).every((byte) => byte === 0));
        }
        assert.deepEqual(found, added);
        let given = 0;
        entries.giveBack(() => given++);
        assert.equal(given, plus ? added.length : 0);
      }),
    );
  });

  it('has room for the lower entries that it says it has room for', () => {
    const { sink: entries } = sink();
    const entry = { node: 7, generation: 1, attr: new Attr() };
    const lengths = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 255 })),
    );
    fc.assert(
      fc.property(lengths, fc.boolean(), fc.integer({ min: 0, max: 9000 }), (all, plus, limit) => {
        entries.begin(plus, limit);
        let { room } = entries;
        for (const length of all) {
          room -= (19 + length + 1 + 7) & ~7;
          if (room < 0) break;
          assert.ok(entries.add('n'.repeat(length), 1, 8, 1, entry), `${length} bytes`);
        }
      }),
    );
  });

  it('agrees on what both can do', () => {
    const [request, reply] = [new Request(), new Reply()];
    request.load(fuseMessage(FuseOpcode.INIT, u32s(7, 45, 131_072, 0xffffffff, 0xffffffff)));
    const { outcome, payload, version, passthrough } = shakeHands(request, reply);
    assert.deepEqual([outcome, payload, version], ['answered', 64, '7.45']);
    const out = payloadOf(reply, payload);
    const flags = out.readUInt32LE(InitOut.flags);
    assert.ok((flags & InitFlag.HANDLE_KILLPRIV_V2) !== 0);
    assert.ok((flags & InitFlag.POSIX_ACL) !== 0 && (flags & InitFlag.DONT_MASK) !== 0);
    assert.equal(flags & (1 << 16), 0, 'no WRITEBACK_CACHE');
    assert.equal(flags & (1 << 12), 0, 'no AUTO_INVAL_DATA');
    assert.equal(out.readUInt32LE(InitOut.maxWrite), 1024 * 1024);
    assert.equal(passthrough, true);
    assert.equal(out.readUInt32LE(InitOut.flags2), InitFlag2.PASSTHROUGH);
    assert.equal(out.readUInt32LE(InitOut.maxStackDepth), 1);
    request.load(fuseMessage(FuseOpcode.INIT, u32s(7, 31, 131_072, InitFlag.ASYNC_READ)));
    assert.equal(shakeHands(request, reply).passthrough, false);
    assert.equal(payloadOf(reply, 64).readUInt32LE(InitOut.flags), InitFlag.ASYNC_READ);
    assert.equal(payloadOf(reply, 64).readUInt32LE(InitOut.maxStackDepth), 0);
  });

  it('refuses a kernel that is too old, and asks a newer one to speak version 7', () => {
    const [request, reply] = [new Request(), new Reply()];
    for (const [major, minor, outcome] of [
      [7, 30, 'too-old'],
      [6, 99, 'too-old'],
      [8, 0, 'again'],
    ] as const) {
      request.load(fuseMessage(FuseOpcode.INIT, u32s(major, minor, 0, 0)));
      assert.equal(shakeHands(request, reply).outcome, outcome);
    }
  });

  it('knows which directories a request keeps locked', () => {
    const request = new Request();
    const rename = Buffer.concat([u32s(9, 0, 0, 0), Buffer.from('a\0b\0')]);
    request.load(fuseMessage(FuseOpcode.RENAME2, rename, { node: 5 }));
    assert.deepEqual(locksOf(request), { directories: [5, 9], pages: 0 });
    request.load(fuseMessage(FuseOpcode.OPEN, u32s(0, 0), { node: 5 }));
    assert.deepEqual(locksOf(request), { directories: [], pages: 0 });
  });

  it('takes away only what is a privilege', () => {
    const [member, stranger] = [5, 6].map((gid) => ({ pid: 0, gid }));
    assert.ok(member && stranger);
    for (const caller of [member, stranger]) {
      assert.equal(withoutSetId(0o106755, caller, 5), 0o100755);
      assert.equal(withoutSetId(0o101777, caller, 5), 0o101777);
    }
    assert.equal(withoutSetId(0o106745, member, 5), 0o102745);
    assert.equal(withoutSetId(0o106745, stranger, 5), 0o100745);
  });
});
