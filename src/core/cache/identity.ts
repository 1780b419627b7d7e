import { ObjectFlag } from '../model/object-flags.js';
import { S_IFDIR, S_IFMT, S_IFREG } from '../system/attr.js';
import { NO_STAMP, REPLICA_ID_MAX, type ObjectId, type Stamp } from '../model/ids.js';

/**
 * Who an object is and which updates made it what it is: the extended attribute `trusted.izo`, hidden from users. Contents
 * and attributes have versions of their own, because a chmod here and an edit there do not collide, and because a
 * sender must tell whether the contents on its disk are still those that a CLOSE record was about.
 */
export const IDENTITY_XATTR = 'trusted.izo';

export interface Identity {
  readonly object: ObjectId;
  /** The update that made the contents (CREATE and CLOSE; for directories and special files, the one that made it). */
  readonly content: Stamp;
  /** The update that made owner, mode, times or extended attributes. */
  readonly attributes: Stamp;
  /** Bits of ObjectFlag. */
  readonly flags: number;
}

const STAMPS_BYTES = 37;
/** version u8, three times replica u48 and number u48; where the object has flags: those, u32. Little-endian. */
export const IDENTITY_BYTES_MAX = 41;
const VERSION = 1;

/** Writes the attribute's value into `out`. @returns the view of `out` that holds it. */
export function encodeIdentity(out: Buffer, identity: Identity): Buffer {
  out[0] = VERSION;
  out.writeUIntLE(identity.object.replica, 1, 6);
  out.writeUIntLE(identity.object.number, 7, 6);
  out.writeUIntLE(identity.content.replica, 13, 6);
  out.writeUIntLE(identity.content.recno, 19, 6);
  out.writeUIntLE(identity.attributes.replica, 25, 6);
  out.writeUIntLE(identity.attributes.recno, 31, 6);
  if (identity.flags === 0) return out.subarray(0, STAMPS_BYTES);
  out.writeUInt32LE(identity.flags, STAMPS_BYTES);
  return out.subarray(0, IDENTITY_BYTES_MAX);
}

/** @returns undefined where the first `length` bytes are not an identity of a version this program knows. */
export function decodeIdentity(buffer: Buffer, length: number): Identity | undefined {
  if (length !== STAMPS_BYTES && length !== IDENTITY_BYTES_MAX) return undefined;
  if (buffer[0] !== VERSION) return undefined;
  const at = (offset: number): number => buffer.readUIntLE(offset, 6);
  return {
    object: { replica: at(1), number: at(7) },
    content: { replica: at(13), recno: at(19) },
    attributes: { replica: at(25), recno: at(31) },
    flags: length === STAMPS_BYTES ? 0 : buffer.readUInt32LE(STAMPS_BYTES),
  };
}

/** An object made by one update: both versions are that update's. `flags`: what it has from its directory. */
export function newIdentity(object: ObjectId, stamp: Stamp, flags: number): Identity {
  return { object, content: stamp, attributes: stamp, flags };
}

/** The flags of a new object of that mode, of those its directory has: as ext4 has it, EXT4_FL_INHERITED. */
export function inheritedFlags(directory: number, mode: number): number {
  const { nodump, noatime, sync, dirsync } = ObjectFlag;
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return directory & (nodump | noatime | sync | dirsync);
    case S_IFREG:
      return directory & (nodump | noatime | sync);
    default:
      return 0;
  }
}

/** True for an identity whose numbers the attribute can hold. */
export function isStorable(identity: Identity): boolean {
  return [identity.object.number, identity.content.recno, identity.attributes.recno].every(
    (n) => n >= 0 && n <= REPLICA_ID_MAX,
  );
}

/** What an object without the attribute counts as. */
export function unidentified(object: ObjectId): Identity {
  return { object, content: NO_STAMP, attributes: NO_STAMP, flags: 0 };
}
