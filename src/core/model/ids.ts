/**
 * Identities. A replica is one fileset on one cache; it numbers its own updates and the objects it creates, so both
 * are unique everywhere without asking anybody.
 */

/**
 * A replica's id: random, 1 to 2^48 - 1, given when its cache is formatted (and again when its log is reset, so it is
 * also the identity of the log). Fits a JavaScript number; 6 bytes on disk.
 */
export type ReplicaId = number;

/** A record's number in one log: 1, 2, 3 ... never reused. 0 means "none". Below 2^53. */
export type Recno = number;

/** An object's identity on all replicas: who created it and a number in that replica's counting. */
export interface ObjectId {
  readonly replica: ReplicaId;
  readonly number: number;
}

/** A version of an object's contents or attributes: the update that made it, by its origin's numbering. */
export interface Stamp {
  readonly replica: ReplicaId;
  readonly recno: Recno;
}

/** The root of a fileset exists before any update: it has the same id and version everywhere. */
export const ROOT_OBJECT: ObjectId = { replica: 0, number: 1 };

/** The version of something no update has touched: of the root, and of what does not exist. */
export const NO_STAMP: Stamp = { replica: 0, recno: 0 };

/** The id of objects that were in the tree before it became a fileset, until they are given one. */
export const NO_OBJECT: ObjectId = { replica: 0, number: 0 };

export const REPLICA_ID_MAX = 2 ** 48 - 1;

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.replica === b.replica && a.recno === b.recno;
}

export function sameObject(a: ObjectId, b: ObjectId): boolean {
  return a.replica === b.replica && a.number === b.number;
}

/** Twelve lower-case hex digits. */
export function formatReplicaId(id: ReplicaId): string {
  return id.toString(16).padStart(12, '0');
}

/** @returns the id, or undefined where `text` is not twelve hex digits. */
export function parseReplicaId(text: string): ReplicaId | undefined {
  return /^[0-9a-f]{12}$/.test(text) ? Number.parseInt(text, 16) : undefined;
}

export function formatStamp(stamp: Stamp): string {
  return `${formatReplicaId(stamp.replica)}.${stamp.recno}`;
}

export function formatObjectId(id: ObjectId): string {
  return `${formatReplicaId(id.replica)}:${id.number}`;
}
