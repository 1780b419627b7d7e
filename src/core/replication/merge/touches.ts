import { AttrMask, Opcode } from '../../model/records.js';
import type { MergeObject } from './merge-object.js';
import type { Touches } from './outcome.js';
import type { Placed } from './placed.js';

/** The times that a history gives to directories: of the last change of a name in them, or what was set. */
export function touchesOf(history: readonly Placed[]): Touches {
  const touches: Touches = new Map();
  for (const { object, place, newPlace, record } of history) {
    const { head, body } = record;
    if (body.op === Opcode.SETATTR) {
      if ((body.valid & AttrMask.mtime) !== 0) setTime(touches, object, body.mtime);
    } else if (changesNames(body.op)) {
      if (place !== undefined && body.op !== Opcode.LINK) touches.set(place.directory, head.time);
      if (newPlace !== undefined) touches.set(newPlace.directory, head.time);
    }
    if (body.op === Opcode.MKDIR) touches.set(object, head.time);
  }
  return touches;
}

function setTime(
  touches: Touches,
  object: MergeObject,
  time: Placed['record']['head']['time'],
): void {
  if (object.isDirectory) touches.set(object, time);
}

function changesNames(op: Opcode): boolean {
  switch (op) {
    case Opcode.CLOSE:
    case Opcode.SETATTR:
    case Opcode.SETEXTATTR:
    case Opcode.DELEXTATTR:
    case Opcode.NOOP:
      return false;
    default:
      return true;
  }
}
