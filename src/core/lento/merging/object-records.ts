import { NO_STAMP, type ObjectId } from '../../model/ids.js';
import {
  AttrMask,
  Opcode,
  type FileHandle,
  type JournalRecord,
  type RecordBody,
  type RecordHead,
} from '../../model/records.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../system/attr.js';
import type { ObjectDescription } from '../../wire/messages.js';

const NO_TIME = { sec: 0, nsec: 0 };

/** What records about one object share. */
export interface ObjectHead {
  readonly template: RecordHead;
  readonly object: ObjectId;
  /** Gives each record a version of its own. */
  readonly reserve: () => { origin: number; originRecno: number };
}

/**
 * An object as the records that make it: what it is, its extended attributes, its contents or its time. What is in a
 * directory is not its business. A file has its contents in the last record.
 * @param handle the lower file of this host that has the contents
 */
export function objectRecords(
  description: ObjectDescription,
  path: string,
  handle: FileHandle,
  { template, object, reserve }: ObjectHead,
): JournalRecord[] {
  const record = (body: RecordBody): JournalRecord => ({
    head: { ...template, ...reserve(), object, before: NO_STAMP },
    body,
  });
  const { size, mtime, xattrs } = description;
  const mode = description.mode & 0o7777;
  const records = [record(makingOf(description, path))];
  for (const { name, value } of xattrs) {
    records.push(record({ op: Opcode.SETEXTATTR, path, name, value, flags: 0 }));
  }
  if ((description.mode & S_IFMT) === S_IFREG) {
    records.push(record({ op: Opcode.CLOSE, path, size, mtime, mode, handle, ranges: [] }));
  } else {
    const set = { op: Opcode.SETATTR, path, valid: AttrMask.mtime } as const;
    const nothing = { mode: 0, uid: 0, gid: 0, atime: NO_TIME };
    records.push(record({ ...set, ...nothing, mtime }));
  }
  return records;
}

function makingOf(description: ObjectDescription, path: string): RecordBody {
  const { uid, gid, rdev, target } = description;
  const mode = description.mode & 0o7777;
  switch (description.mode & S_IFMT) {
    case S_IFREG:
      return { op: Opcode.CREATE, path, mode, uid, gid };
    case S_IFDIR:
      return { op: Opcode.MKDIR, path, mode, uid, gid };
    case S_IFLNK:
      return { op: Opcode.SYMLINK, path, target, uid, gid };
    default:
      return { op: Opcode.MKNOD, path, mode: description.mode, uid, gid, rdev };
  }
}
