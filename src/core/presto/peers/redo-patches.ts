import { decodeIdentity, IDENTITY_BYTES_MAX, IDENTITY_XATTR } from '../../cache/identity.js';
import { decodeRecord, type Leftover, type LmlEntry } from '../../journal/index.js';
import { NO_STAMP, sameStamp } from '../../model/ids.js';
import { displayBytes } from '../../model/names.js';
import { Opcode, stampOf } from '../../model/records.js';
import { E, errnoName, ESTALE } from '../../system/errno.js';
import {
  close,
  fchmod,
  fdatasync,
  ftruncate,
  futimens,
  O_NOFOLLOW,
  O_RDWR,
  openat,
  unlinkat,
  UTIME_OMIT,
} from '../../system/files.js';
import { openByHandle } from '../../system/handles.js';
import { Memory } from '../../system/native.js';
import { fgetxattr } from '../../system/xattrs.js';
import { copyRanges } from './copy-part.js';
import { IdentityStore } from '../tree/identity-store.js';
import { readPatch, redoName } from './patch-file.js';
import type { Presto } from '../presto.js';

/** The object and the version that it has, or is about to get. */
export type Redone = Pick<LmlEntry, 'object' | 'stamp'>;

const memory = new Memory(IDENTITY_BYTES_MAX);

/**
 * What peers had changed in files when this host or its presto ended is put in place, whether or not that had begun: it is
 * the update that comes next, and all before it are in the tree. Does nothing where it is there already.
 * @returns the versions of the files that this is about
 */
export function redoPatches(presto: Presto): readonly Redone[] {
  const { stageFd } = presto;
  const { lml } = presto.logs;
  const leftovers = lml.leftovers();
  const redone: Redone[] = [];
  for (const { slot, entry } of leftovers) {
    if (entry.state !== 'installing') continue;
    const name = redoName(entry.stamp);
    const result = isOver(entry, leftovers) ? 0 : redo(presto, stageFd, name, entry);
    const path = displayBytes(entry.path);
    if (result < 0) {
      presto.log('error', `recovery: changes of ${path} cannot be made: ${errnoName(result)}`);
    } else if (lml.clear(slot) >= 0) unlinkat(stageFd, name);
    redone.push(entry);
  }
  return redone;
}

/** What a program has begun to write since is newer, and what was before it is durable. */
function isOver(entry: LmlEntry, leftovers: readonly Leftover[]): boolean {
  const { ino } = entry.handle;
  return leftovers.some(
    (other) => other.entry.state === 'writing' && other.entry.handle.ino === ino,
  );
}

function redo(presto: Presto, stageFd: number, name: string, entry: LmlEntry): number {
  const from = openat(stageFd, name, O_RDWR | O_NOFOLLOW);
  // Both were durable before anything was done.
  if (from < 0) return from === -E.ENOENT ? 0 : from;
  const { ino, generation } = entry.handle;
  const to = openByHandle(presto.table.root.fd, ino, generation, O_RDWR);
  let result = to;
  if (to >= 0) {
    result = redoIn(presto, from, to, entry);
    close(to);
  }
  close(from);
  return result === -ESTALE ? 0 : result;
}

function redoIn(presto: Presto, from: number, to: number, entry: LmlEntry): number {
  const patch = readPatch(from);
  const decoded = patch === undefined ? 'none' : decodeRecord(patch.record, 0);
  if (patch === undefined || typeof decoded === 'string') return -E.EIO;
  const { record } = decoded;
  const { body } = record;
  const length = fgetxattr(to, IDENTITY_XATTR, memory.address, memory.length);
  const identity = length < 0 ? undefined : decodeIdentity(memory.buffer, length);
  if (body.op !== Opcode.CLOSE || identity === undefined) return -E.EIO;
  const stamp = stampOf(record);
  const expected = [patch.base, NO_STAMP, stamp].some((s) => sameStamp(s, identity.content));
  if (!expected || !sameStamp(stamp, entry.stamp)) return 0;
  let result = copyRanges(from, to, patch.ranges);
  if (result >= 0) result = ftruncate(to, body.size);
  if (result >= 0) result = fchmod(to, body.mode & 0o7777);
  if (result >= 0) result = futimens(to, 0, UTIME_OMIT, body.mtime.sec, body.mtime.nsec);
  if (result >= 0) {
    result = IdentityStore.writeTo(to, { ...identity, object: entry.object, content: stamp });
  }
  if (result >= 0) result = fdatasync(to);
  if (result < 0) return result;
  presto.log('info', `recovery: ${displayBytes(body.path)} was being changed: done`);
  return 0;
}
