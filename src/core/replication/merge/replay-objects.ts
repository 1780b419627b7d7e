import { AttrMask, Opcode, type CloseBody, type SetattrBody } from '../../model/records.js';
import type { Change } from './changes.js';
import type { MergeObject } from './merge-object.js';
import type { Merging } from './merging.js';
import type { Placed } from './placed.js';
import { restore } from './restore.js';

/** The client's updates of contents and attributes, on top of what the server has. */

/**
 * Where the object of an update is in the merged tree; made again where the server removed it, or undefined where there is
 * nothing to update: the client has removed it itself later, or it is there already as the client has it.
 */
function target(
  merging: Merging,
  placed: Placed,
): { object: MergeObject; path: string } | undefined {
  let object = merging.canonical(placed.object);
  if (merging.stored.has(object)) return undefined;
  if (!merging.merged.isAlive(object)) {
    if (object.disk === undefined || placed.place === undefined) return undefined;
    restore(merging, placed, object, placed.place);
    // It may have turned out to be something that the server has.
    object = merging.canonical(object);
    if (!merging.merged.isAlive(object)) return undefined;
  }
  if (merging.restored.has(object)) return undefined;
  return { object, path: merging.merged.pathOf(object) };
}

export function replayClose(merging: Merging, placed: Placed): void {
  const { record, object: own } = placed;
  const change = merging.clientChanges.of(own);
  // Earlier contents are nowhere any more; what the client has removed itself is not missed.
  if (record.body.op !== Opcode.CLOSE || change?.closed?.record !== record) return;
  if (own.disk === undefined || merging.aliases.has(own)) return;
  const found = target(merging, placed);
  if (found === undefined) return;
  const { object, path } = found;
  const theirs = merging.serverChanges.of(object);
  if (theirs?.closed !== undefined && !clientKeeps(merging, placed, object)) return;
  const isOwn = change.made !== undefined || change.attributes.has(AttrMask.mode);
  const ownMode = isOwn && merging.verdict('attribute').winner === 'client';
  const mode = (ownMode ? undefined : modeOf(theirs)) ?? record.body.mode;
  const keepsRanges = change.closes === 1 && theirs?.closed === undefined;
  const ranges = keepsRanges ? record.body.ranges : [];
  merging.emit(placed, object, { ...record.body, path, mode, ranges });
}

/** The mode that the server has given to an object which it may have made again. */
function modeOf(theirs: Change | undefined): number | undefined {
  const made = theirs?.made?.record.body;
  const making = made?.op === Opcode.CREATE ? (theirs?.closed?.body.mode ?? made.mode) : undefined;
  return theirs?.attributes.get(AttrMask.mode)?.mode ?? making;
}

/** Both wrote the file. @returns whether the client's contents stand. */
function clientKeeps(merging: Merging, placed: Placed, object: MergeObject): boolean {
  const ours = merging.clientChanges.of(object)?.closed;
  const theirs = merging.serverChanges.of(object)?.closed;
  if (ours?.body.size === theirs?.body.size) {
    const same = merging.terms.sameContents(object, object);
    if (same === undefined) merging.questions.push({ client: object, server: object });
    if (same === true) return false;
  }
  const conflict = merging.note('contents', object, placed.record, theirs?.record);
  if (conflict.verdict.winner === 'client') {
    merging.storedOfServer.add(object);
    merging.clientContents.add(object);
    return true;
  }
  merging.copies.set(object, conflict);
  return false;
}

/** Attributes that may collide; times are taken along with what they belong to, and nobody is told. */
const TOLD = AttrMask.mode | AttrMask.uid | AttrMask.gid;

export function replaySetattr(merging: Merging, placed: Placed): void {
  const { body } = placed.record;
  if (body.op !== Opcode.SETATTR) return;
  const found = target(merging, placed);
  if (found === undefined) return;
  const { object, path } = found;
  const valid = body.valid & ~lostBits(merging, placed, object, body);
  if (valid === 0) return;
  const { mtime = body.mtime } = closedByServer(merging, object) ?? {};
  merging.emit(placed, object, { ...onlyBits({ ...body, mtime }, valid), path });
  if (object.isDirectory && (valid & AttrMask.mtime) !== 0) {
    merging.touches.set(object, body.mtime);
  }
}

/** The contents that stand are the server's; a file's time belongs to its contents. */
function closedByServer(merging: Merging, object: MergeObject): CloseBody | undefined {
  if (merging.clientContents.has(object)) return undefined;
  return merging.serverChanges.of(object)?.closed?.body;
}

function lostBits(
  merging: Merging,
  placed: Placed,
  object: MergeObject,
  body: SetattrBody,
): number {
  const theirs = merging.serverChanges.of(object);
  if (theirs === undefined) return 0;
  let lost = 0;
  if (merging.verdict('attribute').winner === 'client') return lost;
  for (const [bit, set] of theirs.attributes) {
    if ((body.valid & bit) === 0 || bit === AttrMask.atime || sameValue(bit, body, set)) continue;
    lost |= bit;
  }
  if ((lost & TOLD & body.valid) !== 0) merging.note('attribute', object, placed.record);
  return lost;
}

function sameValue(bit: number, a: SetattrBody, b: SetattrBody): boolean {
  switch (bit) {
    case AttrMask.mode:
      return a.mode === b.mode;
    case AttrMask.uid:
      return a.uid === b.uid;
    case AttrMask.gid:
      return a.gid === b.gid;
    default:
      return a.mtime.sec === b.mtime.sec && a.mtime.nsec === b.mtime.nsec;
  }
}

/** The same change without the attributes that are not in `valid`; their fields are 0, as records have it. */
export function onlyBits(body: SetattrBody, valid: number): SetattrBody {
  const has = (bit: number): boolean => (valid & bit) !== 0;
  const none = { sec: 0, nsec: 0 };
  return {
    ...body,
    valid,
    mode: has(AttrMask.mode) ? body.mode : 0,
    uid: has(AttrMask.uid) ? body.uid : 0,
    gid: has(AttrMask.gid) ? body.gid : 0,
    atime: has(AttrMask.atime) ? body.atime : none,
    mtime: has(AttrMask.mtime) ? body.mtime : none,
  };
}

export function replayXattr(merging: Merging, placed: Placed): void {
  const { body } = placed.record;
  if (body.op !== Opcode.SETEXTATTR && body.op !== Opcode.DELEXTATTR) return;
  const found = target(merging, placed);
  if (found === undefined) return;
  const { object, path } = found;
  const theirs = merging.serverChanges.of(object)?.xattrs;
  if (theirs?.has(body.name) === true) {
    const value = theirs.get(body.name);
    const ours = body.op === Opcode.SETEXTATTR ? body.value : undefined;
    const same = value === undefined ? ours === undefined : ours?.equals(value) === true;
    if (same) return;
    if (merging.note('attribute', object, placed.record).verdict.winner === 'server') return;
  }
  if (body.op === Opcode.SETEXTATTR) {
    // CREATE and REPLACE were the maker's questions.
    merging.emit(placed, object, { ...body, path, flags: 0 });
  } else if (theirs?.has(body.name) !== true) {
    merging.emit(placed, object, { ...body, path });
  } else if (theirs.get(body.name) !== undefined) {
    merging.emit(placed, object, { ...body, path });
  }
}
