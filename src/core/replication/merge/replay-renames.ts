import { NO_OBJECT, NO_STAMP } from '../../model/ids.js';
import { Opcode, type RenameBody } from '../../model/records.js';
import type { MergeObject, Place } from './merge-object.js';
import { isSame, type Merging } from './merging.js';
import { isMissed } from './missed.js';
import { isExchange, type Placed } from './placed.js';
import { ensureDirectory, restore } from './restore.js';
import { settle } from './settle.js';

/** The client's renames, on top of what the server has. */

export function replayRename(merging: Merging, placed: Placed): void {
  const { place, newPlace, record } = placed;
  const { body } = record;
  if (place === undefined || newPlace === undefined || body.op !== Opcode.RENAME) return;
  if (isExchange(body)) replayExchange(merging, placed, place, newPlace, body);
  else {
    rename(merging, placed, place, newPlace, body);
    dropReplaced(merging, placed, newPlace);
  }
}

function rename(
  merging: Merging,
  placed: Placed,
  place: Place,
  newPlace: Place,
  body: RenameBody,
): void {
  const { record } = placed;
  const object = merging.canonical(placed.object);
  if (merging.stored.has(object)) return;
  const source = sourceOf(merging, placed, object, place, newPlace);
  if (source === undefined) return;
  const directory = ensureDirectory(merging, placed, newPlace.directory);
  if (directory === undefined) {
    merging.displace(object, newPlace, source);
    return;
  }
  if (object.isDirectory && merging.merged.isAbove(object, directory)) {
    merging.note('cycle', object, record);
    merging.displace(object, newPlace, source);
    return;
  }
  // Making room for the directory may have moved the object itself.
  const now = merging.merged.at(source) === object ? source : merging.merged.placeOf(object);
  if (now === undefined) return;
  move(merging, placed, object, now, newPlace, { directory, name: newPlace.name }, body);
}

/** Where the object stands that the client renamed from `place`; undefined where the renaming is settled thereby. */
function sourceOf(
  merging: Merging,
  placed: Placed,
  object: MergeObject,
  place: Place,
  newPlace: Place,
): Place | undefined {
  const source = merging.locate(object, place);
  if (source !== undefined) return source;
  const elsewhere = merging.merged.placeOf(object);
  if (elsewhere === undefined) {
    dropReplaced(merging, placed, newPlace);
    if (object.disk !== undefined) restore(merging, placed, object, newPlace);
    return undefined;
  }
  if (isSame(elsewhere, merging.canonicalPlace(newPlace))) return undefined;
  const { winner } = merging.note('move', object, placed.record).verdict;
  if (winner === 'client') return elsewhere;
  merging.displace(object, newPlace, elsewhere);
  return undefined;
}

/** What the client replaced goes, although the object that replaced it may not have come. */
function dropReplaced(merging: Merging, placed: Placed, newPlace: Place): void {
  const { replaced } = placed;
  if (replaced === undefined) return;
  const object = merging.canonical(replaced);
  const place = merging.locate(object, newPlace);
  if (place === undefined || isMissed(merging, object)) return;
  merging.unlink(placed, object, place);
}

function move(
  merging: Merging,
  placed: Placed,
  object: MergeObject,
  source: Place,
  /** The new name at the client, and in the merged tree. */
  from: Place,
  wanted: Place,
  body: RenameBody,
): void {
  const { merged } = merging;
  const there = merged.at(wanted);
  if (isSame(source, wanted)) return;
  if (there === object) {
    merging.unlink(placed, object, source);
    return;
  }
  const expected = placed.replaced === undefined ? undefined : merging.canonical(placed.replaced);
  const replaces = there !== undefined && there === expected && !isMissed(merging, there);
  if (there !== undefined && !replaces && losesRename(merging, object)) {
    merging.note('name', object, placed.record);
    merging.displace(object, from, source);
    return;
  }
  // What it replaced at the client may stand beside by now.
  if (!replaces) dropReplaced(merging, placed, from);
  const to = replaces ? wanted : settle(merging, placed, object, from, wanted);
  if (to === undefined) {
    // It is what stands there, or was put away: its old name goes in any case.
    merging.unlink(placed, object, source);
    return;
  }
  const path = merged.path(source);
  if (replaces) merged.take(wanted, there);
  merged.take(source, object);
  merged.put(to, object);
  if (!isSame(to, wanted)) merging.displace(object, from, to);
  merging.touch(source.directory, placed);
  merging.touch(to.directory, placed);
  const newPath = merged.path(to);
  const replaced = replaces ? there.id : NO_OBJECT;
  const replacedStamp = replaces ? body.replacedStamp : NO_STAMP;
  merging.emit(placed, object, { ...body, path, newPath, flags: 0, replaced, replacedStamp });
}

/** A file that the server has as well does not leave the tree: it is the new name that loses. */
function losesRename(merging: Merging, object: MergeObject): boolean {
  const { winner, loser } = merging.verdict('name');
  const isOurs = merging.clientChanges.of(object)?.made !== undefined;
  const isTheirs = merging.serverChanges.of(object)?.made !== undefined;
  return (isTheirs || !isOurs) && winner === 'server' && loser === 'stored';
}

export function moveAlone(
  merging: Merging,
  placed: Placed,
  object: MergeObject,
  source: Place,
  to: Place,
  body: RenameBody,
): void {
  const directory = ensureDirectory(merging, placed, to.directory);
  const stays = directory === undefined || merging.merged.isAbove(object, directory);
  if (stays || merging.merged.at(source) !== object) merging.displace(object, to, source);
  else move(merging, placed, object, source, to, { directory, name: to.name }, body);
}

/** Both names stand as they did, or the exchange did not happen. */
function replayExchange(
  merging: Merging,
  placed: Placed,
  place: Place,
  newPlace: Place,
  body: RenameBody,
): void {
  const { merged } = merging;
  if (placed.replaced === undefined) return;
  const one = merging.canonical(placed.object);
  const other = merging.canonical(placed.replaced);
  const from = merging.locate(one, place);
  const to = merging.locate(other, newPlace);
  // With one of them gone, what is left of the exchange is that the other moves.
  const isGone = { one: !merged.isAlive(one), other: !merged.isAlive(other) };
  if (isGone.one || isGone.other) {
    if (to !== undefined) moveAlone(merging, placed, other, to, place, body);
    if (from !== undefined) moveAlone(merging, placed, one, from, newPlace, body);
    if (isGone.one && one.disk !== undefined) restore(merging, placed, one, newPlace);
    if (isGone.other && other.disk !== undefined) restore(merging, placed, other, place);
    return;
  }
  const fits =
    from !== undefined &&
    to !== undefined &&
    !merged.isAbove(one, to.directory) &&
    !merged.isAbove(other, from.directory);
  if (!fits) {
    merging.note('move', one, placed.record);
    for (const [object, now] of [
      [one, newPlace],
      [other, place],
    ] as const) {
      const at = merged.placeOf(object);
      if (at !== undefined) merging.displace(object, now, at);
    }
    return;
  }
  const path = merged.path(from);
  const newPath = merged.path(to);
  merged.take(from, one);
  merged.take(to, other);
  merged.put(to, one);
  merged.put(from, other);
  if (!isSame(to, newPlace)) merging.displace(one, newPlace, to);
  if (!isSame(from, place)) merging.displace(other, place, from);
  for (const { directory } of [from, to]) merging.touch(directory, placed);
  merging.emit(placed, one, { ...body, path, newPath, replaced: other.id });
}
