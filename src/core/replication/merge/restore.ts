import { Opcode } from '../../model/records.js';
import type { MergeObject, Place } from './merge-object.js';
import { isSame, type Merging } from './merging.js';
import type { Placed } from './placed.js';
import { settle } from './settle.js';

/**
 * The directory of the merged tree that the client knew as `directory`. One that the server removed is made again, and
 * those above it; undefined where the client does not have it any more either.
 */
export function ensureDirectory(
  merging: Merging,
  placed: Placed,
  directory: MergeObject,
): MergeObject | undefined {
  const object = merging.canonical(directory);
  if (merging.merged.isAlive(object)) return object;
  const place = merging.client.placeOf(directory);
  if (directory.disk === undefined || place === undefined) return undefined;
  restore(merging, placed, directory, place);
  const after = merging.canonical(directory);
  return merging.merged.isAlive(after) ? after : undefined;
}

/** Makes an object again that the server removed while the client updated it: at the name it had at the client. */
export function restore(merging: Merging, placed: Placed, object: MergeObject, from: Place): void {
  const name = nameFor(merging, placed, object, from);
  if (name === undefined) return;
  const { directory } = name;
  const place = settle(merging, placed, object, name.from, { directory, name: name.from.name });
  if (place === undefined) return;
  merging.note('update-removal', object, placed.record);
  merging.restored.add(object);
  // The server makes it with the time that it has here; the plan empties it, perhaps, and changes that.
  if (object.isDirectory) merging.touches.set(object, merging.client.timeOnDisk(object));
  merging.merged.put(place, object);
  merging.touch(directory, placed);
  const path = merging.merged.path(place);
  merging.amendments.push({ type: 'restore', head: placed.record.head, object, path });
  const leaves = placed.record.body.op === Opcode.RENAME ? placed.place : undefined;
  for (const other of merging.client.placesOf(object)) {
    if (leaves === undefined || !isSame(other, leaves))
      relink(merging, placed, object, other, path);
  }
}

/** The first name of the object at the client whose directory can be had, `from` before all others. */
function nameFor(
  merging: Merging,
  placed: Placed,
  object: MergeObject,
  from: Place,
): { from: Place; directory: MergeObject } | undefined {
  for (const place of [from, ...merging.client.placesOf(object)]) {
    const directory = ensureDirectory(merging, placed, place.directory);
    if (directory !== undefined) return { from: place, directory };
  }
  return undefined;
}

/** A further name that the client has for a file that was made again. */
function relink(
  merging: Merging,
  placed: Placed,
  object: MergeObject,
  from: Place,
  path: string,
): void {
  const place = merging.canonicalPlace(from);
  if (object.isDirectory || !merging.merged.isAlive(place.directory)) return;
  if (merging.merged.at(place) !== undefined) return;
  merging.merged.put(place, object);
  merging.touch(place.directory, placed);
  const newPath = merging.merged.path(place);
  merging.emitOwn(placed.record.head, object, { op: Opcode.LINK, path, newPath });
}
