import { REPLICA_ID_MAX, type ObjectId, type Stamp } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { isValidPath } from '../model/names.js';
import { decodeObjectFlags, FLAGS_XATTR } from '../model/object-flags.js';
import {
  AttrMask,
  Opcode,
  type Actor,
  type RecordBody,
  type RecordHead,
  type SetattrBody,
  type Time,
} from '../model/records.js';

/**
 * What every record keeps to, in the log and on the wire. The encoder and the decoder ask the same functions: what can be
 * written can be read, and what a peer sends has been through the same gate.
 */

/** Why a record is refused, in words; undefined where it is not. */
export type Fault = string | undefined;

const U32_MAX = 2 ** 32 - 1;
/** "No owner" of chown(2): never the owner of anything. */
const NOBODY = U32_MAX;
const NSEC_MAX = 999_999_999;
const MODE_MAX = 0o7777;
const VALID_MAX = 31;
/** More ranges than this say "all of it" as well as none do. */
export const RANGES_MAX = LIMITS.closeRanges;
/** Type bits that mknod(2) makes and that are no regular file: fifo, character device, block device, socket. */
const MKNOD_TYPES = [0o010000, 0o020000, 0o060000, 0o140000];

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isU32 = (value: number): boolean => value >= 0 && value <= U32_MAX && Number.isInteger(value);
const isOwner = (id: number): boolean => isU32(id) && id !== NOBODY;
const isReplica = (id: number): boolean => isCount(id) && id <= REPLICA_ID_MAX;
const isMode = (mode: number): boolean => isU32(mode) && mode <= MODE_MAX;
const isTime = (time: Time): boolean =>
  Number.isSafeInteger(time.sec) && isU32(time.nsec) && time.nsec <= NSEC_MAX;

/** Replica 0 numbers only what exists without it: nothing (0) and the root (1). */
const isObject = (id: ObjectId): boolean =>
  isReplica(id.replica) &&
  isCount(id.number) &&
  (id.replica === 0 ? id.number <= 1 : id.number > 0);

const isStamp = (stamp: Stamp): boolean =>
  isReplica(stamp.replica) && isCount(stamp.recno) && (stamp.replica === 0) === (stamp.recno === 0);

const isXattrName = (name: string): boolean =>
  name.length > 0 && name.length <= LIMITS.xattrNameBytes && !name.includes('\0');

function actorFault(actor: Actor): Fault {
  if (!isU32(actor.uid) || !isU32(actor.gid) || !isU32(actor.pid)) return 'impossible actor';
  for (const group of actor.groups) if (!isU32(group)) return 'impossible group';
  return undefined;
}

export function headFault(head: Omit<RecordHead, 'recno'>): Fault {
  if (!isReplica(head.origin) || head.origin === 0) return 'impossible origin';
  if (!isCount(head.originRecno) || head.originRecno === 0) return 'impossible origin recno';
  if (!isTime(head.time)) return 'impossible time';
  if (!isObject(head.object)) return 'impossible object id';
  if (!isStamp(head.before)) return 'impossible version before';
  return actorFault(head.actor);
}

/** What is wrong with what the operation needs, its paths aside. */
function fieldFault(body: RecordBody): Fault {
  switch (body.op) {
    case Opcode.NOOP:
      return isCount(body.replaces) ? undefined : 'impossible record that is replaced';
    case Opcode.LINK:
    case Opcode.UNLINK:
    case Opcode.RMDIR:
      return undefined;
    case Opcode.CREATE:
    case Opcode.MKDIR:
      return isMode(body.mode) ? ownerFault(body) : 'impossible mode';
    case Opcode.MKNOD:
      if (!MKNOD_TYPES.includes(body.mode & ~MODE_MAX)) return 'impossible type of special file';
      return isCount(body.rdev) ? ownerFault(body) : 'impossible device number';
    case Opcode.SYMLINK:
      if (
        body.target === '' ||
        body.target.length > LIMITS.targetBytes ||
        body.target.includes('\0')
      )
        return 'impossible link target';
      return ownerFault(body);
    case Opcode.RENAME:
      if (!isU32(body.flags) || body.flags > 2) return 'unknown rename flags';
      if (!isObject(body.replaced)) return 'impossible id of what is replaced';
      return isStamp(body.replacedStamp) ? undefined : 'impossible version of what is replaced';
    case Opcode.SETATTR:
      if (!isU32(body.valid) || body.valid > VALID_MAX) return 'unknown attributes';
      if (!isMode(body.mode)) return 'impossible mode';
      if (!isTime(body.atime) || !isTime(body.mtime)) return 'impossible time';
      return ownerFault(body);
    case Opcode.CLOSE:
      return closeFault(body);
    case Opcode.SETEXTATTR:
      if (body.value.length > LIMITS.xattrValueBytes) return 'attribute value too long';
      if (!isU32(body.flags) || body.flags > 2) return 'unknown flags';
      if (body.name === FLAGS_XATTR && decodeObjectFlags(body.value) === undefined)
        return 'unknown inode flags';
      return isXattrName(body.name) ? undefined : 'impossible attribute name';
    case Opcode.DELEXTATTR:
      return isXattrName(body.name) && body.name !== FLAGS_XATTR
        ? undefined
        : 'impossible attribute name';
  }
}

function ownerFault(body: { uid: number; gid: number }): Fault {
  return isOwner(body.uid) && isOwner(body.gid) ? undefined : 'impossible owner';
}

function closeFault(body: RecordBody & { op: typeof Opcode.CLOSE }): Fault {
  if (!isCount(body.size)) return 'impossible size';
  if (!isMode(body.mode)) return 'impossible mode';
  if (!isTime(body.mtime)) return 'impossible time';
  if (!isCount(body.handle.ino) || !isU32(body.handle.generation)) return 'impossible file handle';
  for (const range of body.ranges) {
    if (!isCount(range.offset) || !isCount(range.length)) return 'impossible range';
    if (!isCount(range.offset + range.length)) return 'impossible range';
  }
  return undefined;
}

/** The root has attributes, and nothing else can be done to it. */
function pathFault(body: RecordBody): Fault {
  if (body.op === Opcode.NOOP) return undefined;
  const root =
    body.op === Opcode.SETATTR || body.op === Opcode.SETEXTATTR || body.op === Opcode.DELEXTATTR;
  if (!isValidPath(body.path, root)) return 'impossible path';
  if (body.op !== Opcode.RENAME && body.op !== Opcode.LINK) return undefined;
  return isValidPath(body.newPath) ? undefined : 'impossible new path';
}

export function bodyFault(body: RecordBody): Fault {
  return fieldFault(body) ?? pathFault(body);
}

/** What the encoder puts right by itself, so that only readers need to ask. */
export function readFault(body: RecordBody): Fault {
  if (body.op === Opcode.CLOSE && body.ranges.length > RANGES_MAX) return 'too many ranges';
  return body.op === Opcode.SETATTR ? unmeantFault(body) : undefined;
}

/** Attributes that a SETATTR does not change are 0. */
function unmeantFault(body: SetattrBody): Fault {
  const { valid, atime, mtime } = body;
  const unmeant =
    ((valid & AttrMask.mode) === 0 && body.mode !== 0) ||
    ((valid & AttrMask.uid) === 0 && body.uid !== 0) ||
    ((valid & AttrMask.gid) === 0 && body.gid !== 0) ||
    ((valid & AttrMask.atime) === 0 && (atime.sec !== 0 || atime.nsec !== 0)) ||
    ((valid & AttrMask.mtime) === 0 && (mtime.sec !== 0 || mtime.nsec !== 0));
  return unmeant ? 'attributes that are not meant' : undefined;
}
