import type { Stamp } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { normalRanges } from '../../model/ranges.js';
import {
  Opcode,
  stampOf,
  type CloseBody,
  type JournalRecord,
  type Range,
  type SetxattrBody,
} from '../../model/records.js';
import type { Directory, Step } from './places.js';

/** Whose meaning does not depend on what else happens to the object. */
const PLAIN_XATTR = /^(user|trusted)\./;

/** What later records of the window say about an object, seen from a record before them. */
interface Later {
  /** Places in the result; undefined: none. */
  close: number | undefined;
  readonly xattrs: Map<string, number>;
  /** Attributes that a SETATTR sets, bits of AttrMask. */
  attributes: number;
}

/**
 * Leaves out what later records of the same object make unseen: contents before the last ones, attributes that are set
 * again. What is about ACLs, capabilities and flags stays, for it acts on other things. The last record of each kind stays
 * as well, and so do the versions that it gives. The first record stays: it may have been applied already. Pure.
 */
export function withoutSuperseded(steps: readonly Step[]): JournalRecord[] {
  const later = new Map<string, Later>();
  const kept: (JournalRecord | undefined)[] = steps.map(({ record }) => record);
  const inDirectories = new Map<Directory, string>();
  for (let index = steps.length - 1; index > 0; index--) {
    const step = steps[index];
    if (step === undefined) continue;
    for (const directory of step.touches) forget(later, inDirectories.get(directory));
    if (step.object === '') continue;
    if (step.directory !== undefined) inDirectories.set(step.directory, step.object);
    const known = later.get(step.object) ?? newLater();
    later.set(step.object, known);
    if (isSuperseded(step.record, index, known, kept)) kept[index] = undefined;
  }
  return withVersionsBefore(steps, kept);
}

/** Whoever saw a version that is left out has seen the one before that. */
function withVersionsBefore(
  steps: readonly Step[],
  kept: readonly (JournalRecord | undefined)[],
): JournalRecord[] {
  const instead = new Map<string, Stamp>();
  const seen = (stamp: Stamp): Stamp => instead.get(keyOf(stamp)) ?? stamp;
  return steps.flatMap(({ record }, index) => {
    const before = seen(record.head.before);
    const stays = kept[index];
    if (stays === undefined) {
      instead.set(keyOf(stampOf(record)), before);
      return [];
    }
    if (instead.size === 0) return [stays];
    const { head, body } = stays;
    if (body.op !== Opcode.RENAME) return [{ head: { ...head, before }, body }];
    const replacedStamp = seen(body.replacedStamp);
    return [{ head: { ...head, before }, body: { ...body, replacedStamp } }];
  });
}

function keyOf({ replica, recno }: Stamp): string {
  return `${replica}:${recno}`;
}

function newLater(): Later {
  return { close: undefined, xattrs: new Map(), attributes: 0 };
}

/** What is made in a directory may depend on the attributes that it has then. */
function forget(later: Map<string, Later>, object: string | undefined): void {
  const known = object === undefined ? undefined : later.get(object);
  if (known !== undefined) known.attributes = 0;
}

function isSuperseded(
  { body }: JournalRecord,
  index: number,
  later: Later,
  kept: (JournalRecord | undefined)[],
): boolean {
  switch (body.op) {
    case Opcode.CLOSE: {
      const last = later.close === undefined ? undefined : kept[later.close];
      if (later.close === undefined || last?.body.op !== Opcode.CLOSE) {
        later.close = index;
        return false;
      }
      kept[later.close] = {
        head: last.head,
        body: { ...last.body, ranges: union(body, last.body) },
      };
      return true;
    }
    case Opcode.SETATTR: {
      const isUnseen = (later.attributes & body.valid) === body.valid;
      later.attributes |= body.valid;
      return isUnseen;
    }
    case Opcode.SETEXTATTR:
    case Opcode.DELEXTATTR: {
      if (!PLAIN_XATTR.test(body.name)) {
        later.attributes = 0;
        return false;
      }
      const at = later.xattrs.get(body.name);
      if (at === undefined) {
        if (body.op === Opcode.SETEXTATTR) later.xattrs.set(body.name, index);
        return false;
      }
      const last = kept[at];
      // Whether there was one before it is not what its maker saw.
      if (last !== undefined)
        kept[at] = { head: last.head, body: { ...(last.body as SetxattrBody), flags: 0 } };
      return true;
    }
    default:
      return false;
  }
}

/** What both have written; nothing: all of the file. */
function union(first: CloseBody, second: CloseBody): readonly Range[] {
  if (first.ranges.length === 0 || second.ranges.length === 0) return [];
  const joined = normalRanges([...first.ranges, ...second.ranges], second.size);
  return joined.length > LIMITS.closeRanges ? [] : joined;
}
