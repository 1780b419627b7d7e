import type { ObjectId, Recno, ReplicaId, Stamp } from './ids.js';

/**
 * The vocabulary of the modification log. Names, paths, link targets and xattr names are bytes, held one byte a
 * character ("latin1 strings"); they are never decoded as UTF-8 except to show them. Paths have no leading slash, are
 * relative to the fileset's root, and never contain empty components, `.` or `..`. The root itself is the empty path.
 */
export const Opcode = {
  NOOP: 0,
  CREATE: 1,
  MKDIR: 2,
  UNLINK: 3,
  RMDIR: 4,
  CLOSE: 5,
  SYMLINK: 6,
  RENAME: 7,
  SETATTR: 8,
  LINK: 9,
  MKNOD: 11,
  SETEXTATTR: 15,
  DELEXTATTR: 16,
} as const;

export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** Nanoseconds as two integers, because 2^53 ns end in April 1970. `sec` may be negative; 0 <= nsec < 10^9. */
export interface Time {
  readonly sec: number;
  readonly nsec: number;
}

/** Who did it: the identity of the process that made the call. `groups` are supplementary groups where known. */
export interface Actor {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  readonly groups: readonly number[];
}

/** What every record carries. */
export interface RecordHead {
  /** Number in the log that holds this record. */
  readonly recno: Recno;
  /** The replica whose user made the update, and its number in that replica's log. Together: the new stamp. */
  readonly origin: ReplicaId;
  readonly originRecno: Recno;
  /** When the update was made. The times that it gives to the object and its directories are this one. */
  readonly time: Time;
  readonly actor: Actor;
  /** The object that the update is about. */
  readonly object: ObjectId;
  /**
   * The version that the update saw: of the attributes for SETATTR, SETEXTATTR and DELEXTATTR, of the contents for all
   * others; NO_STAMP where it makes the object.
   */
  readonly before: Stamp;
}

/**
 * Changes nothing. `replaces`: the records from that one up to this one are void; what follows stands in their place,
 * because a merge has amended what was pending. 0: none is.
 */
export interface NoopBody {
  readonly op: typeof Opcode.NOOP;
  readonly replaces: Recno;
}

/** A new regular file, empty. Owner and mode are final: umask and setgid directories are already accounted for. */
export interface CreateBody {
  readonly op: typeof Opcode.CREATE;
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface MkdirBody {
  readonly op: typeof Opcode.MKDIR;
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A fifo, socket or device. `mode` includes the type bits. */
export interface MknodBody {
  readonly op: typeof Opcode.MKNOD;
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
}

export interface SymlinkBody {
  readonly op: typeof Opcode.SYMLINK;
  readonly path: string;
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
}

/** A further name, `newPath`, for the object at `path`. */
export interface LinkBody {
  readonly op: typeof Opcode.LINK;
  readonly path: string;
  readonly newPath: string;
}

export interface UnlinkBody {
  readonly op: typeof Opcode.UNLINK;
  readonly path: string;
}

export interface RmdirBody {
  readonly op: typeof Opcode.RMDIR;
  readonly path: string;
}

/** flags are those of renameat2(2): RENAME_NOREPLACE 1, RENAME_EXCHANGE 2. */
export interface RenameBody {
  readonly op: typeof Opcode.RENAME;
  readonly path: string;
  readonly newPath: string;
  readonly flags: number;
  /** What stood at `newPath` and is replaced or exchanged: its id and version; NO_OBJECT and NO_STAMP for nothing. */
  readonly replaced: ObjectId;
  readonly replacedStamp: Stamp;
}

/** Which attributes a SETATTR changes; bits of `valid`. */
export const AttrMask = { mode: 1, uid: 2, gid: 4, atime: 8, mtime: 16 } as const;

/** New attributes. Fields whose bit is not set in `valid` are 0. Sizes are the business of CLOSE. */
export interface SetattrBody {
  readonly op: typeof Opcode.SETATTR;
  readonly path: string;
  readonly valid: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly atime: Time;
  readonly mtime: Time;
}

/** `length` bytes from `offset`. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** The lower file that holds the contents, for open_by_handle_at(2); means something on the logging host only. */
export interface FileHandle {
  readonly ino: number;
  readonly generation: number;
}

/**
 * Contents were written and are complete for now. The contents are not in the log: the receiver gets them from the
 * lower file named by `handle`, as long as the file still has this record's stamp.
 */
export interface CloseBody {
  readonly op: typeof Opcode.CLOSE;
  readonly path: string;
  readonly size: number;
  readonly mtime: Time;
  /** The file's mode after the writes (writing clears setuid and setgid). Permission bits only. */
  readonly mode: number;
  readonly handle: FileHandle;
  /** What was written since the version `before`; empty where that is not known: then all of it. */
  readonly ranges: readonly Range[];
}

/** flags are those of setxattr(2): XATTR_CREATE 1, XATTR_REPLACE 2. */
export interface SetxattrBody {
  readonly op: typeof Opcode.SETEXTATTR;
  readonly path: string;
  readonly name: string;
  readonly value: Buffer;
  readonly flags: number;
}

export interface DelxattrBody {
  readonly op: typeof Opcode.DELEXTATTR;
  readonly path: string;
  readonly name: string;
}

export type RecordBody =
  | NoopBody
  | CreateBody
  | MkdirBody
  | MknodBody
  | SymlinkBody
  | LinkBody
  | UnlinkBody
  | RmdirBody
  | RenameBody
  | SetattrBody
  | CloseBody
  | SetxattrBody
  | DelxattrBody;

export interface JournalRecord {
  readonly head: RecordHead;
  readonly body: RecordBody;
}

/** The version that the update gives to its object. */
export function stampOf(record: JournalRecord): Stamp {
  return { replica: record.head.origin, recno: record.head.originRecno };
}

const NAMES = new Map<number, string>(Object.entries(Opcode).map(([name, code]) => [code, name]));

/** @returns the opcode's name as InterMezzo spelt it, or undefined for a number that is none. */
export function opcodeName(code: number): string | undefined {
  return NAMES.get(code);
}
