import { NO_OBJECT, sameObject } from '../../model/ids.js';
import { Opcode, type JournalRecord, type RenameBody } from '../../model/records.js';
import { MergeRefused, type MergeObject, type Place } from './merge-object.js';
import type { TreeNames } from './tree-names.js';

const RENAME_EXCHANGE = 2;

/** A record, and what its paths meant when it was made. */
export interface Placed {
  readonly record: JournalRecord;
  readonly object: MergeObject;
  /** The name that the update goes by; undefined for the root itself. */
  readonly place: Place | undefined;
  /** RENAME and LINK. */
  readonly newPlace: Place | undefined;
  /** RENAME: what stood at `newPlace`. */
  readonly replaced: MergeObject | undefined;
}

export function isExchange(body: RenameBody): boolean {
  return (body.flags & RENAME_EXCHANGE) !== 0;
}

/**
 * Goes through a history backwards from the state after it. `names` is then the state before it.
 * @returns the records in their order.
 */
export function undo(names: TreeNames, records: readonly JournalRecord[]): Placed[] {
  const placed: Placed[] = [];
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i];
    if (record !== undefined && record.body.op !== Opcode.NOOP) placed.push(undoOne(names, record));
  }
  return placed.reverse();
}

function undoOne(names: TreeNames, record: JournalRecord): Placed {
  const { body } = record;
  if (body.op === Opcode.NOOP) throw new MergeRefused('a NOOP changes nothing');
  if (body.path === '') return theRoot(names, record);
  const place = names.place(body.path);
  const object = objectOf(names, record);
  const found = { record, object, place, newPlace: undefined, replaced: undefined };
  switch (body.op) {
    case Opcode.CREATE:
    case Opcode.MKDIR:
    case Opcode.SYMLINK:
    case Opcode.MKNOD:
      names.take(place, object);
      return found;
    case Opcode.UNLINK:
    case Opcode.RMDIR:
      names.put(place, object);
      return found;
    case Opcode.LINK: {
      const newPlace = names.place(body.newPath);
      names.take(newPlace, object);
      return { ...found, newPlace };
    }
    case Opcode.RENAME: {
      const newPlace = names.place(body.newPath);
      const replaced = replacedBy(names, body, object);
      names.take(newPlace, object);
      if (replaced !== undefined) {
        if (isExchange(body)) names.take(place, replaced);
        names.put(newPlace, replaced);
      }
      names.put(place, object);
      return { ...found, newPlace, replaced };
    }
    default:
      expectThere(names, place, object);
      return found;
  }
}

/** Goes through a history forwards. `names` is then the state after it. */
export function redo(names: TreeNames, records: readonly JournalRecord[]): Placed[] {
  return records.filter((r) => r.body.op !== Opcode.NOOP).map((record) => redoOne(names, record));
}

/** Goes one update forwards. */
export function redoOne(names: TreeNames, record: JournalRecord): Placed {
  const { body } = record;
  if (body.op === Opcode.NOOP) throw new MergeRefused('a NOOP changes nothing');
  if (body.path === '') return theRoot(names, record);
  const place = names.place(body.path);
  const object = objectOf(names, record);
  const found = { record, object, place, newPlace: undefined, replaced: undefined };
  switch (body.op) {
    case Opcode.CREATE:
    case Opcode.MKDIR:
    case Opcode.SYMLINK:
    case Opcode.MKNOD:
      names.put(place, object);
      return found;
    case Opcode.UNLINK:
    case Opcode.RMDIR:
      names.take(place, object);
      return found;
    case Opcode.LINK: {
      const newPlace = names.place(body.newPath);
      names.put(newPlace, object);
      return { ...found, newPlace };
    }
    case Opcode.RENAME: {
      const newPlace = names.place(body.newPath);
      const replaced = replacedBy(names, body, object);
      names.take(place, object);
      if (replaced !== undefined) {
        names.take(newPlace, replaced);
        if (isExchange(body)) names.put(place, replaced);
      }
      names.put(newPlace, object);
      return { ...found, newPlace, replaced };
    }
    default:
      expectThere(names, place, object);
      return found;
  }
}

function theRoot(names: TreeNames, record: JournalRecord): Placed {
  const object = names.objects.root;
  return { record, object, place: undefined, newPlace: undefined, replaced: undefined };
}

function expectThere(names: TreeNames, place: Place, object: MergeObject): void {
  if (names.at(place) !== object) throw new MergeRefused(`${place.name} is something else`);
}

/** A record does not say whether its object is a directory; its operation or the tree does. */
function objectOf(names: TreeNames, { head, body }: JournalRecord): MergeObject {
  if (sameObject(head.object, NO_OBJECT)) throw new MergeRefused('a record names no object');
  const made = body.op === Opcode.MKDIR || body.op === Opcode.RMDIR;
  if (made || !('path' in body)) return names.objects.get(head.object, made);
  // Looking at the disk where it may stand tells, before the id is met for the first time.
  names.at(names.place(body.path));
  if ('newPath' in body) names.at(names.place(body.newPath));
  return names.objects.get(head.object, false);
}

function replacedBy(
  names: TreeNames,
  body: RenameBody,
  object: MergeObject,
): MergeObject | undefined {
  if (sameObject(body.replaced, NO_OBJECT)) return undefined;
  // What rename(2) replaces is of the same kind; what it exchanges stands somewhere.
  if (isExchange(body)) {
    names.at(names.place(body.path));
    names.at(names.place(body.newPath));
  }
  return names.objects.get(body.replaced, object.isDirectory);
}
