import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  realDisk,
  type Disk,
  type DiskOperation,
  type NewRecordHead,
  type TrimRules,
} from '../../../src/core/journal/index.js';
import { newKmlHeader, writeKmlHeader } from '../../../src/core/journal/kml-header.js';
import { REPLICA_ID_MAX, ROOT_OBJECT } from '../../../src/core/model/ids.js';
import { isValidPath } from '../../../src/core/model/names.js';
import {
  AttrMask,
  Opcode,
  type RecordBody,
  type SetattrBody,
} from '../../../src/core/model/records.js';

export const LOG_ID = 0x0123456789ab;

/** A directory of the test's own, and what was opened in it; `done` removes everything. */
export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), 'izo-journal-'));
  readonly #fds: number[] = [];

  open(name: string, flags: string): number {
    const fd = openSync(join(this.path, name), flags);
    this.#fds.push(fd);
    return fd;
  }

  /** A KML with a header and no records. */
  newKml(name = 'kml'): number {
    const fd = this.open(name, 'w+');
    writeKmlHeader(realDisk, fd, newKmlHeader(LOG_ID));
    return fd;
  }

  get directory(): number {
    return this.open('.', 'r');
  }

  read(name: string): Buffer {
    return readFileSync(join(this.path, name));
  }

  write(name: string, content: Buffer | string): void {
    writeFileSync(join(this.path, name), content);
  }

  done(): void {
    for (const fd of this.#fds.splice(0)) closeSync(fd);
    rmSync(this.path, { recursive: true });
  }
}

/** Trims all records up to that one. */
export const upTo = (acknowledged: number): TrimRules => ({
  acknowledged,
  history: 0,
  backlog: Infinity,
  least: 0,
});

/** A disk that fails operations by name: with an errno, or after so many bytes. */
export class FaultyDisk implements Disk {
  readonly failing = new Map<DiskOperation, { errno: number } | { after: number }>();

  pwrite(
    operation: DiskOperation,
    fd: number,
    address: number,
    length: number,
    offset: number,
  ): number {
    const fault = this.failing.get(operation);
    if (fault === undefined) return realDisk.pwrite(operation, fd, address, length, offset);
    if ('errno' in fault) return -fault.errno;
    return realDisk.pwrite(operation, fd, address, Math.min(length, fault.after), offset);
  }

  ftruncate(operation: DiskOperation, fd: number, size: number): number {
    const fault = this.failing.get(operation);
    return fault !== undefined && 'errno' in fault
      ? -fault.errno
      : realDisk.ftruncate(operation, fd, size);
  }

  fsync(operation: DiskOperation, fd: number): number {
    const fault = this.failing.get(operation);
    return fault !== undefined && 'errno' in fault ? -fault.errno : realDisk.fsync(operation, fd);
  }

  punchHole(operation: DiskOperation, fd: number, offset: number, length: number): number {
    return realDisk.punchHole(operation, fd, offset, length);
  }
}

export function headOf(number: number): NewRecordHead {
  return {
    origin: LOG_ID,
    originRecno: number,
    time: { sec: 1_700_000_000 + number, nsec: 123_456_789 },
    actor: { uid: 1000, gid: 100, pid: 4711, groups: [100, 4] },
    object: { replica: LOG_ID, number },
    before: { replica: 0, recno: 0 },
  };
}

export function mkdirOf(path: string): RecordBody {
  return { op: Opcode.MKDIR, path, mode: 0o755, uid: 1000, gid: 100 };
}

export function xattrOf(value: Buffer): RecordBody {
  return { op: Opcode.SETEXTATTR, path: 'a', name: 'user.big', value, flags: 0 };
}

/** Plain objects, as the decoder makes them. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });

const u32 = fc.nat({ max: 2 ** 32 - 1 });
const count = fc.maxSafeNat();
const owner = fc.nat({ max: 2 ** 32 - 2 });
const mode = fc.nat({ max: 0o7777 });
const time = record({ sec: fc.maxSafeInteger(), nsec: fc.nat({ max: 999_999_999 }) });
const replica = fc.integer({ min: 1, max: REPLICA_ID_MAX });
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const stamp = fc.oneof(fc.constant({ replica: 0, recno: 0 }), record({ replica, recno: positive }));
const object = fc.oneof(
  fc.constant(ROOT_OBJECT),
  fc.constant({ replica: 0, number: 0 }),
  record({ replica, number: positive }),
);
const latin1 = (min: number, max: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((b) => Buffer.from(b).toString('latin1'));
const name = latin1(1, 40).map((text) => text.replace(/[/\0]/g, '_'));
const path = fc
  .array(name, { minLength: 1, maxLength: 5 })
  .map((names) => names.join('/'))
  .filter((text) => isValidPath(text));
const anyPath = fc.oneof({ weight: 4, arbitrary: path }, { weight: 1, arbitrary: fc.constant('') });
const xattrName = latin1(1, 255).map((text) => text.replaceAll('\0', '_'));
const range = record({ offset: count, length: count }).filter((r) =>
  Number.isSafeInteger(r.offset + r.length),
);

export const anyHead: fc.Arbitrary<NewRecordHead> = record({
  origin: replica,
  originRecno: positive,
  time,
  actor: record({ uid: u32, gid: u32, pid: u32, groups: fc.array(u32, { maxLength: 20 }) }),
  object,
  before: stamp,
});

/** Attributes that a SETATTR does not change are 0 in records. */
function cleared(body: SetattrBody): SetattrBody {
  const zero = { sec: 0, nsec: 0 };
  const has = (bit: number): boolean => (body.valid & bit) !== 0;
  return {
    ...body,
    mode: has(AttrMask.mode) ? body.mode : 0,
    uid: has(AttrMask.uid) ? body.uid : 0,
    gid: has(AttrMask.gid) ? body.gid : 0,
    atime: has(AttrMask.atime) ? body.atime : zero,
    mtime: has(AttrMask.mtime) ? body.mtime : zero,
  };
}

const is = fc.constant;
const making = { path, mode, uid: owner, gid: owner };
const specialMode = fc
  .tuple(fc.constantFrom(0o010000, 0o020000, 0o060000, 0o140000), mode)
  .map(([type, bits]) => type | bits);

export const anyBody: fc.Arbitrary<RecordBody> = fc.oneof(
  record({ op: is(Opcode.NOOP), replaces: count }),
  record({ op: is(Opcode.CREATE), ...making }),
  record({ op: is(Opcode.MKDIR), ...making }),
  record({ op: is(Opcode.MKNOD), ...making, mode: specialMode, rdev: count }),
  record({
    op: is(Opcode.SYMLINK),
    path,
    target: latin1(1, 300).map((text) => text.replaceAll('\0', '_')),
    uid: owner,
    gid: owner,
  }),
  record({ op: is(Opcode.LINK), path, newPath: path }),
  record({ op: is(Opcode.UNLINK), path }),
  record({ op: is(Opcode.RMDIR), path }),
  record({
    op: is(Opcode.RENAME),
    path,
    newPath: path,
    flags: fc.nat({ max: 2 }),
    replaced: object,
    replacedStamp: stamp,
  }),
  record({
    op: is(Opcode.SETATTR),
    path: anyPath,
    valid: fc.nat({ max: 31 }),
    mode,
    uid: owner,
    gid: owner,
    atime: time,
    mtime: time,
  }).map(cleared),
  record({
    op: is(Opcode.CLOSE),
    path,
    size: count,
    mtime: time,
    mode,
    handle: record({ ino: count, generation: u32 }),
    ranges: fc.array(range, { maxLength: 20 }),
  }),
  record({
    op: is(Opcode.SETEXTATTR),
    path: anyPath,
    name: xattrName,
    value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    flags: fc.nat({ max: 2 }),
  }),
  record({ op: is(Opcode.DELEXTATTR), path: anyPath, name: xattrName }),
);
