import type { ObjectId, Stamp } from './ids.js';
import type { Time } from './records.js';

/** An object as a whole. */
export interface ObjectDescription {
  /** Type and permission bits, as stat(2) has them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly mtime: Time;
  /** Bytes of the contents, and their CRC-32; of anything but a file 0. */
  readonly size: number;
  readonly checksum: number;
  /** Of a symbolic link. */
  readonly target: string;
  readonly object: ObjectId;
  readonly content: Stamp;
  readonly attributes: Stamp;
  readonly xattrs: readonly { readonly name: string; readonly value: Buffer }[];
}

/** An object of a whole tree, and one of its names; the root's is ''. */
export interface TreeEntry extends ObjectDescription {
  readonly path: string;
}
