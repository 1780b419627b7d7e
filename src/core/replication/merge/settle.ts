import { NO_OBJECT, NO_STAMP } from '../../model/ids.js';
import { Opcode, type RecordBody } from '../../model/records.js';
import type { Change } from './changes.js';
import type { MergeObject, Place } from './merge-object.js';
import type { Merging } from './merging.js';
import type { Placed } from './placed.js';

/**
 * The client gives the name `place` of the merged tree, which it knows as `from`, to `object`; something else may have it.
 * @returns the place that the object gets: free; undefined where it gets none, as it is what stands there, or lost.
 */
export function settle(
  merging: Merging,
  placed: Placed,
  object: MergeObject,
  from: Place,
  place: Place,
): Place | undefined {
  const other = merging.merged.at(place);
  if (other === undefined) return place;
  // Where the object only passed through, nobody will care whose the name was.
  const stays = merging.client.onDisk(from) === object;
  if (stays && isSameThing(merging, object, other)) {
    merging.alias(object, other);
    return undefined;
  }
  if (!stays) return beside(merging, placed, object, from, place);
  const conflict = merging.note('name', object, placed.record, recordOf(merging, other));
  conflict.stands = place;
  const { winner, loser } = conflict.verdict;
  if (winner === 'client') {
    conflict.lost = other;
    conflict.beside = giveWay(merging, placed, other, place);
    return place;
  }
  if (loser === 'stored' && !object.isDirectory) {
    // With a further name it stays in the tree: only this name is lost.
    if (merging.merged.placesOf(object).length < 2) merging.stored.add(object);
    return undefined;
  }
  conflict.beside = beside(merging, placed, object, from, place);
  return conflict.beside;
}

function beside(
  merging: Merging,
  placed: Placed,
  object: MergeObject,
  from: Place,
  place: Place,
): Place {
  const free = merging.freePlace(place, merging.terms.clientHost, placed.record.head.time);
  merging.displace(object, from, free);
  return free;
}

/**
 * What the server has at `place` makes room: it goes to the conflict store, or beside where it is a directory or the client
 * has it as well. @returns the place beside
 */
function giveWay(
  merging: Merging,
  placed: Placed,
  other: MergeObject,
  place: Place,
): Place | undefined {
  const isOurs = merging.clientChanges.of(other)?.made !== undefined;
  if (!other.isDirectory && !isOurs && other.disk === undefined) {
    merging.storedOfServer.add(other);
    merging.unlink(placed, other, place);
    return undefined;
  }
  const free = merging.freePlace(place, merging.terms.serverHost, placed.record.head.time);
  const path = merging.merged.path(place);
  merging.merged.take(place, other);
  merging.merged.put(free, other);
  merging.touch(place.directory, placed);
  const newPath = merging.merged.path(free);
  const nothing = { replaced: NO_OBJECT, replacedStamp: NO_STAMP };
  merging.emitOwn(placed.record.head, other, {
    op: Opcode.RENAME,
    path,
    newPath,
    flags: 0,
    ...nothing,
  });
  return free;
}

function recordOf(merging: Merging, object: MergeObject): Placed['record'] | undefined {
  const change = merging.serverChanges.of(object);
  return change?.closed?.record ?? change?.made?.record;
}

/** Both sides made the same: then there is no conflict. */
function isSameThing(merging: Merging, ours: MergeObject, theirs: MergeObject): boolean {
  const mine = merging.clientChanges.of(ours);
  const other = merging.serverChanges.of(theirs);
  // The client has nothing yet that is the server's object: then it can take what it made for that.
  if (other?.made === undefined || theirs.disk !== undefined) return false;
  if (merging.merged.isAlive(ours)) return false;
  // One object of the client's can be it, and no more.
  if (merging.carried.has(theirs)) return false;
  if (ours.isDirectory || theirs.isDirectory) return ours.isDirectory && theirs.isDirectory;
  if (mine?.made === undefined) return false;
  const a = mine.made.record.body;
  const b = other.made.record.body;
  if (a.op === Opcode.SYMLINK || b.op === Opcode.SYMLINK) return sameLink(a, b);
  if (a.op === Opcode.MKNOD || b.op === Opcode.MKNOD) return sameSpecial(a, b);
  const sizes = [sizeOf(mine), sizeOf(other)];
  if (sizes[0] !== sizes[1]) return false;
  if (sizes[0] === 0) return true;
  const same = merging.terms.sameContents(ours, theirs);
  if (same === undefined) merging.questions.push({ client: ours, server: theirs });
  return same === true;
}

function sizeOf(change: Change): number {
  return change.closed?.body.size ?? 0;
}

function sameLink(a: RecordBody, b: RecordBody): boolean {
  return a.op === Opcode.SYMLINK && b.op === Opcode.SYMLINK && a.target === b.target;
}

function sameSpecial(a: RecordBody, b: RecordBody): boolean {
  const same = a.op === Opcode.MKNOD && b.op === Opcode.MKNOD;
  return same && (a.mode & 0o170000) === (b.mode & 0o170000) && a.rdev === b.rdev;
}
