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
}

/** version u8, then three times: replica u48, number u48. Little-endian. */
export const IDENTITY_BYTES = 37;
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
  return out.subarray(0, IDENTITY_BYTES);
}

/** @returns undefined where the first `length` bytes are not an identity of a version this program knows. */
export function decodeIdentity(buffer: Buffer, length: number): Identity | undefined {
  if (length !== IDENTITY_BYTES || buffer[0] !== VERSION) return undefined;
  const at = (offset: number): number => buffer.readUIntLE(offset, 6);
  return {
    object: { replica: at(1), number: at(7) },
    content: { replica: at(13), recno: at(19) },
    attributes: { replica: at(25), recno: at(31) },
  };
}

/** An object made by one update: both versions are that update's. */
export function newIdentity(object: ObjectId, stamp: Stamp): Identity {
  return { object, content: stamp, attributes: stamp };
}

/** True for an identity whose numbers the attribute can hold. */
export function isStorable(identity: Identity): boolean {
  return [identity.object.number, identity.content.recno, identity.attributes.recno].every(
    (n) => n >= 0 && n <= REPLICA_ID_MAX,
  );
}

/** What an object without the attribute counts as. */
export function unidentified(object: ObjectId): Identity {
  return { object, content: NO_STAMP, attributes: NO_STAMP };
}
