import { NO_OBJECT, NO_STAMP } from '../../model/ids.js';
import { AttrMask, Opcode } from '../../model/records.js';
import type { MergeObject, Place } from './merge-object.js';
import { isSame, type Merging } from './merging.js';
import { isMissed } from './missed.js';
import type { Placed } from './placed.js';
import { moveAlone } from './replay-renames.js';
import { ensureDirectory, restore } from './restore.js';
import { settle } from './settle.js';

/** The client's updates of names, on top of what the server has. */

export function replayMake(merging: Merging, placed: Placed): void {
  const { object, place: from, record } = placed;
  if (from === undefined || !('path' in record.body)) return;
  if (merging.merged.isAlive(object)) {
    madeByBoth(merging, placed, object, from);
    return;
  }
  merging.serverChanges.forget(object);
  const place = destination(merging, placed, object, from);
  if (place === undefined) return;
  merging.merged.put(place, object);
  merging.touch(place.directory, placed);
  if (object.isDirectory) merging.touch(object, placed);
  merging.emit(placed, object, { ...record.body, path: merging.merged.path(place) });
}

/**
 * The client made an object again that the server had removed, and so did another client, sooner: it is there, and what
 * this client made of it are updates of it.
 */
function madeByBoth(merging: Merging, placed: Placed, object: MergeObject, from: Place): void {
  const { record } = placed;
  const { head, body } = record;
  const there = merging.merged.placeOf(object);
  if (there !== undefined && !isSame(there, merging.canonicalPlace(from))) {
    const { winner } = merging.note('move', object, record).verdict;
    const nothing = { replaced: NO_OBJECT, replacedStamp: NO_STAMP };
    const rename = { op: Opcode.RENAME, path: '', newPath: '', flags: 0, ...nothing } as const;
    if (winner === 'client') moveAlone(merging, placed, object, there, from, rename);
    else merging.displace(object, from, there);
  }
  if (!('uid' in body) || body.op === Opcode.SETATTR || !merging.merged.isAlive(object)) return;
  if (merging.verdict('attribute').winner === 'server') return;
  const { uid, gid } = body;
  const isLink = body.op === Opcode.SYMLINK;
  const mode = isLink ? 0 : body.mode & 0o7777;
  const valid = AttrMask.uid | AttrMask.gid | (isLink ? 0 : AttrMask.mode);
  const none = { sec: 0, nsec: 0 };
  const path = merging.merged.pathOf(object);
  const times = { atime: none, mtime: none };
  merging.emitOwn(head, object, { op: Opcode.SETATTR, path, valid, mode, uid, gid, ...times });
}

/** Where the merged tree has room for what the client puts at `from`. */
function destination(
  merging: Merging,
  placed: Placed,
  object: MergeObject,
  from: Place,
): Place | undefined {
  const directory = ensureDirectory(merging, placed, from.directory);
  if (directory === undefined) return undefined;
  return settle(merging, placed, object, from, { directory, name: from.name });
}

export function replayRemove(merging: Merging, placed: Placed): void {
  const { place: from, record } = placed;
  const { body } = record;
  if (from === undefined || !('path' in body)) return;
  const object = merging.canonical(placed.object);
  const place = merging.locate(object, from);
  // Removed by the server too, or given to something else.
  if (place === undefined) {
    if (object.disk === undefined && merging.merged.isAlive(object)) {
      merging.note('removal-update', object, record);
    }
    return;
  }
  if (isMissed(merging, object)) {
    merging.note('removal-update', object, record);
    return;
  }
  const path = merging.merged.path(place);
  merging.merged.take(place, object);
  merging.touch(place.directory, placed);
  merging.emit(placed, object, { op: body.op, path } as typeof body);
}

export function replayLink(merging: Merging, placed: Placed): void {
  const { place, newPlace: from, record } = placed;
  if (place === undefined || from === undefined || record.body.op !== Opcode.LINK) return;
  const object = merging.canonical(placed.object);
  if (merging.stored.has(object)) return;
  if (!merging.merged.isAlive(object)) {
    if (object.disk !== undefined) restore(merging, placed, object, from);
    return;
  }
  const directory = ensureDirectory(merging, placed, from.directory);
  if (directory === undefined) return;
  const wanted = { directory, name: from.name };
  if (merging.merged.at(wanted) === object) return;
  const to = settle(merging, placed, object, from, wanted);
  const source = merging.locate(object, place) ?? merging.merged.placeOf(object);
  if (to === undefined || source === undefined) {
    // The further name is given up; the file has its first one.
    merging.stored.delete(object);
    return;
  }
  const path = merging.merged.path(source);
  merging.merged.put(to, object);
  merging.touch(directory, placed);
  merging.emit(placed, object, { op: Opcode.LINK, path, newPath: merging.merged.path(to) });
}
