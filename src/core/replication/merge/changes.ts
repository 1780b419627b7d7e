import {
  Opcode,
  type CloseBody,
  type JournalRecord,
  type SetattrBody,
} from '../../model/records.js';
import type { MergeObject } from './merge-object.js';
import { isExchange, type Placed } from './placed.js';

/** A CLOSE with its record. */
export interface Closed {
  readonly record: JournalRecord;
  readonly body: CloseBody;
}

/** What one side did to one object. */
export interface Change {
  /** The record that made it. */
  made: Placed | undefined;
  /** The last contents. */
  closed: Closed | undefined;
  /** How often contents were closed. */
  closes: number;
  /** The last value of each attribute that was set, by its bit of AttrMask. */
  attributes: Map<number, SetattrBody>;
  /** The last value of each extended attribute; undefined: removed. */
  xattrs: Map<string, Buffer | undefined>;
  /** It was renamed, or got a further name. */
  named: boolean;
  /** It lost a name, perhaps its last. */
  unnamed: boolean;
}

/** What one side did, object by object. */
export class Changes {
  readonly #changes = new Map<MergeObject, Change>();

  constructor(placed: readonly Placed[]) {
    for (const each of placed) this.#note(each);
  }

  of(object: MergeObject): Change | undefined {
    return this.#changes.get(object);
  }

  /** What was done to the object has gone with it. */
  forget(object: MergeObject): void {
    this.#changes.delete(object);
  }

  /** Something was done to the object that its removal would undo. Making it is not: who removes it has seen that. */
  isUpdated(object: MergeObject): boolean {
    const change = this.#changes.get(object);
    if (change === undefined) return false;
    const { closed, attributes, xattrs, named } = change;
    return closed !== undefined || attributes.size > 0 || xattrs.size > 0 || named;
  }

  /** Everything that was touched. */
  objects(): Iterable<MergeObject> {
    return this.#changes.keys();
  }

  #note(placed: Placed): void {
    const { object, record } = placed;
    const { body } = record;
    const change = this.#changeOf(object);
    switch (body.op) {
      case Opcode.CREATE:
      case Opcode.MKDIR:
      case Opcode.SYMLINK:
      case Opcode.MKNOD:
        // Again: what was done to it before it was removed does not count.
        this.#changes.set(object, { ...newChange(), made: placed });
        return;
      case Opcode.CLOSE:
        change.closed = { record, body };
        change.closes++;
        return;
      case Opcode.SETATTR:
        for (let bit = 1; bit <= body.valid; bit *= 2) {
          if ((body.valid & bit) !== 0) change.attributes = put(change.attributes, bit, body);
        }
        return;
      case Opcode.SETEXTATTR:
        change.xattrs = put(change.xattrs, body.name, body.value);
        return;
      case Opcode.DELEXTATTR:
        change.xattrs = put(change.xattrs, body.name, undefined);
        return;
      case Opcode.RENAME:
        change.named = true;
        if (placed.replaced !== undefined) {
          const other = this.#changeOf(placed.replaced);
          other.named ||= isExchange(body);
          other.unnamed ||= !isExchange(body);
        }
        return;
      case Opcode.LINK:
        change.named = true;
        return;
      case Opcode.UNLINK:
        change.unnamed = true;
        return;
      default:
        return;
    }
  }

  #changeOf(object: MergeObject): Change {
    let change = this.#changes.get(object);
    if (change === undefined) {
      change = newChange();
      this.#changes.set(object, change);
    }
    return change;
  }
}

/** Of most objects nothing is set: maps of their own would be most of what a large merge takes of memory. */
const NO_ATTRIBUTES = new Map<number, SetattrBody>();
const NO_XATTRS = new Map<string, Buffer | undefined>();

function put<K, V>(map: Map<K, V>, key: K, value: V): Map<K, V> {
  return (map.size === 0 ? new Map<K, V>() : map).set(key, value);
}

function newChange(): Change {
  return {
    made: undefined,
    closed: undefined,
    closes: 0,
    attributes: NO_ATTRIBUTES,
    xattrs: NO_XATTRS,
    named: false,
    unnamed: false,
  };
}
