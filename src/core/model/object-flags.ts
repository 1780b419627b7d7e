/**
 * Inode flags as chattr(1) sets them, FS_*_FL of linux/fs.h: those that mean something on every replica. They belong to the
 * object: kept with its identity, journaled, replicated, and heeded by presto. The lower inode has none of them, for an
 * immutable one could not be given a new version.
 */
export const ObjectFlag = {
  /** `S`: its updates are on disk when the call returns. */
  sync: 0x8,
  /** `i`: nothing about it changes. */
  immutable: 0x10,
  /** `a`: it only grows. A directory: names are only added. */
  append: 0x20,
  /** `d`: not for dump(8). */
  nodump: 0x40,
  /** `A`: reading leaves the time of access alone. It does so for every file. */
  noatime: 0x80,
  /** `D`: a directory's updates are on disk when the call returns. */
  dirsync: 0x1_0000,
} as const;

export const OBJECT_FLAGS = Object.values(ObjectFlag).reduce((all, flag) => all | flag, 0);
/** With either of these an object stays as it is, but for what is added. Only CAP_LINUX_IMMUTABLE changes them. */
export const FIXED_FLAGS = ObjectFlag.immutable | ObjectFlag.append;

/** The name by which SETEXTATTR records set the flags. No file system has an attribute of this name. */
export const FLAGS_XATTR = 'system.izo.flags';
const VALUE_BYTES = 4;

export function encodeObjectFlags(flags: number): Buffer {
  const value = Buffer.alloc(VALUE_BYTES);
  value.writeUInt32LE(flags);
  return value;
}

/** @returns undefined for a value that is none */
export function decodeObjectFlags(value: Buffer): number | undefined {
  if (value.length !== VALUE_BYTES) return undefined;
  const flags = value.readUInt32LE();
  return (flags & ~OBJECT_FLAGS) === 0 ? flags : undefined;
}
