import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { encodeRecord, type NewRecordHead } from '../../../src/core/journal/index.js';
import { LIMITS } from '../../../src/core/model/limits.js';
import { Opcode, opcodeName, type RecordBody } from '../../../src/core/model/records.js';
import { Kml, LastRcvd, Lml } from '../../../src/core/journal/index.js';
import { Scratch } from './support.js';

/**
 * The bytes of one record of each kind, and of the other files. A change of what is expected here is a change of the format:
 * logs on disk and hosts on the wire would not be understood any more.
 */
const golden = JSON.parse(
  readFileSync(new URL('layout.golden.json', import.meta.url), 'utf8'),
) as Record<string, string[]>;

const LOG = 0x0123456789ab;
const STAMP = { replica: 0x0a0b0c0d0e0f, recno: 0x1122334455667 };
const OBJECT = { replica: LOG, number: 0x4243 };
const TIME = { sec: -1, nsec: 999_999_999 };
const HEAD: NewRecordHead = {
  origin: LOG,
  originRecno: 0x31,
  time: { sec: 0x65000000, nsec: 0x1234567 },
  actor: { uid: 0x101, gid: 0x102, pid: 0x103, groups: [0x104, 0x105] },
  object: OBJECT,
  before: STAMP,
};
const making = { path: 'dir/n\xe4me', mode: 0o4755, uid: 0x201, gid: 0x202 };
const path = 'dir/old';
const newPath = 'dir/new';

const BODIES: RecordBody[] = [
  { op: Opcode.NOOP, replaces: 0x601 },
  { op: Opcode.CREATE, ...making },
  { op: Opcode.MKDIR, ...making },
  { op: Opcode.MKNOD, ...making, mode: 0o020644, rdev: 0x301 },
  { op: Opcode.SYMLINK, path, target: '../target', uid: 0x201, gid: 0x202 },
  { op: Opcode.LINK, path, newPath },
  { op: Opcode.UNLINK, path },
  { op: Opcode.RMDIR, path },
  { op: Opcode.RENAME, path, newPath, flags: 2, replaced: OBJECT, replacedStamp: STAMP },
  { op: Opcode.SETATTR, ...making, path: '', valid: 31, atime: TIME, mtime: TIME },
  {
    op: Opcode.CLOSE,
    path,
    size: 2 ** 40 + 1,
    mtime: TIME,
    mode: 0o644,
    handle: { ino: 0x401, generation: 0xfffffffe },
    ranges: [{ offset: 2 ** 33, length: 0x501 }],
  },
  {
    op: Opcode.SETEXTATTR,
    path: '',
    name: 'user.a',
    value: Buffer.from('\0\xff', 'latin1'),
    flags: 1,
  },
  { op: Opcode.DELEXTATTR, path, name: 'user.a' },
];

/** 32 bytes a line, so that a difference can be found by eye. */
function hex(bytes: Buffer): string[] {
  return bytes.toString('hex').match(/.{1,64}/g) ?? [];
}

describe('journal layout', () => {
  for (const body of BODIES) {
    const name = opcodeName(body.op) ?? '';
    it(`of ${name} has not changed`, () => {
      const buffer = Buffer.alloc(LIMITS.recordBytes);
      const length = encodeRecord(buffer, 0, 0x77, 0xcafebabe, HEAD, body);
      assert.deepEqual(hex(buffer.subarray(0, length)), golden[name]);
    });
  }

  it('covers every opcode', () => {
    const ops = BODIES.map((body) => body.op);
    assert.deepEqual(new Set(ops), new Set(Object.values(Opcode)));
  });

  it('of the files has not changed', () => {
    const scratch = new Scratch();
    try {
      const kml = Kml.open(scratch.newKml());
      kml.append(HEAD, { op: Opcode.NOOP, replaces: 0 });
      Lml.format(scratch.open('lml', 'w+'), LOG);
      const lml = Lml.open(scratch.open('lml', 'r+'));
      const handle = { ino: 0x401, generation: 0x402 };
      lml.note({ state: 'installing', object: OBJECT, stamp: STAMP, handle, path });
      LastRcvd.format(scratch.open('last_rcvd', 'w+'), LOG);
      const table = LastRcvd.open(scratch.open('last_rcvd', 'r+'), LOG);
      table.setExpected(STAMP.replica, 0x601, 0xcafebabe);
      table.setAcknowledged(STAMP.replica, 0x701);
      for (const file of ['kml', 'lml', 'last_rcvd']) {
        assert.deepEqual(hex(scratch.read(file)), golden[file], file);
      }
    } finally {
      scratch.done();
    }
  });
});
