import { ACCESS_ACL, DEFAULT_ACL } from '../../model/acl.js';
import { NO_STAMP, sameStamp, type Stamp } from '../../model/ids.js';
import type { TreeEntry } from '../../model/object-description.js';
import { encodeObjectFlags, FLAGS_XATTR } from '../../model/object-flags.js';
import { AttrMask, Opcode, type RecordBody, type Time } from '../../model/records.js';
import { isDirectory } from './snapshot.js';

/** An update that the server has made, as far as its tree tells: what it left, and the version. */
export interface News {
  readonly body: RecordBody;
  readonly stamp: Stamp;
}

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const NO_HANDLE = { ino: 0, generation: 0 };
const NO_TIME: Time = { sec: 0, nsec: 0 };

export function isFile({ mode }: Pick<TreeEntry, 'mode'>): boolean {
  return (mode & S_IFMT) === S_IFREG;
}

function isLink({ mode }: TreeEntry): boolean {
  return (mode & S_IFMT) === S_IFLNK;
}

/** The record that makes the object, without what is in it. */
export function makingOf(entry: TreeEntry): RecordBody {
  const { path, uid, gid, rdev, target } = entry;
  const mode = entry.mode & 0o7777;
  if (isFile(entry)) return { op: Opcode.CREATE, path, mode, uid, gid };
  if (isDirectory(entry)) return { op: Opcode.MKDIR, path, mode, uid, gid };
  if (isLink(entry)) return { op: Opcode.SYMLINK, path, target, uid, gid };
  return { op: Opcode.MKNOD, path, mode: entry.mode, uid, gid, rdev };
}

/**
 * What an object that the client has yet to make is besides: extended attributes, contents, time.
 * @param inDefaultAcl it would get ACLs from its directory
 */
export function newsOfMade(entry: TreeEntry, inDefaultAcl: boolean): News[] {
  const { path, xattrs, attributes: stamp } = entry;
  const news: News[] = [];
  if (inDefaultAcl && !isLink(entry)) {
    for (const name of isDirectory(entry) ? [ACCESS_ACL, DEFAULT_ACL] : [ACCESS_ACL]) {
      const has = xattrs.some((each) => each.name === name);
      if (!has) news.push({ stamp, body: { op: Opcode.DELEXTATTR, path, name } });
    }
  }
  for (const { name, value } of xattrs) {
    news.push({ stamp, body: { op: Opcode.SETEXTATTR, path, name, value, flags: 0 } });
  }
  const closed = closeOf(entry);
  if (closed !== undefined) news.push(closed);
  const valid = AttrMask.mtime | (isLink(entry) ? 0 : AttrMask.mode);
  const isNew = isFile(entry) && isFirst(entry, stamp);
  if (!isNew) news.push({ stamp, body: settingOf(entry, valid) });
  return news;
}

/** Nothing has set its attributes since it was made. */
function isFirst({ object }: TreeEntry, { replica, recno }: Stamp): boolean {
  return object.replica === replica && object.number === recno;
}

/** Its contents; undefined while they are being written: then a CLOSE will tell of them. */
export function closeOf(entry: TreeEntry): News | undefined {
  if (!isFile(entry) || sameStamp(entry.content, NO_STAMP)) return undefined;
  const { path, size, mtime } = entry;
  const mode = entry.mode & 0o7777;
  const body = {
    op: Opcode.CLOSE,
    path,
    size,
    mtime,
    mode,
    handle: NO_HANDLE,
    ranges: [],
  } as const;
  return { stamp: entry.content, body };
}

/** How the server's attributes differ from the client's; where nothing does, the version alone is told. */
export function newsOfAttributes(theirs: TreeEntry, ours: TreeEntry): News[] {
  const { path, attributes: stamp } = theirs;
  const news: News[] = [];
  for (const { name, value } of theirs.xattrs) {
    const same = ours.xattrs.some((each) => each.name === name && each.value.equals(value));
    if (!same) news.push({ stamp, body: { op: Opcode.SETEXTATTR, path, name, value, flags: 0 } });
  }
  for (const { name } of ours.xattrs) {
    if (theirs.xattrs.some((each) => each.name === name)) continue;
    news.push({ stamp, body: withoutXattr(path, name) });
  }
  let valid: number = AttrMask.mtime;
  if (!isLink(theirs) && theirs.mode !== ours.mode) valid |= AttrMask.mode;
  if (theirs.uid !== ours.uid) valid |= AttrMask.uid;
  if (theirs.gid !== ours.gid) valid |= AttrMask.gid;
  news.push({ stamp, body: settingOf(theirs, valid) });
  return news;
}

function withoutXattr(path: string, name: string): RecordBody {
  if (name !== FLAGS_XATTR) return { op: Opcode.DELEXTATTR, path, name };
  return { op: Opcode.SETEXTATTR, path, name, value: encodeObjectFlags(0), flags: 0 };
}

function settingOf(entry: TreeEntry, valid: number): RecordBody {
  const has = (bit: number): boolean => (valid & bit) !== 0;
  const { path, mtime } = entry;
  const mode = has(AttrMask.mode) ? entry.mode & 0o7777 : 0;
  const uid = has(AttrMask.uid) ? entry.uid : 0;
  const gid = has(AttrMask.gid) ? entry.gid : 0;
  return { op: Opcode.SETATTR, path, valid, mode, uid, gid, atime: NO_TIME, mtime };
}
