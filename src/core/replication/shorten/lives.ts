import { NO_OBJECT, NO_STAMP, type Stamp } from '../../model/ids.js';
import {
  AttrMask,
  Opcode,
  stampOf,
  type JournalRecord,
  type RenameBody,
} from '../../model/records.js';
import { keyOf, RENAME_EXCHANGE, type Directory, type Step } from './places.js';

/** An object from the record that makes it on. Numbers are places in the window. */
interface Life {
  readonly records: number[];
  readonly isDirectory: boolean;
  links: number;
  /** By these RENAMEs it took another name. */
  readonly renames: number[];
  /** By these RENAMEs others took its names. */
  readonly ends: number[];
  /** It got a second name, or lost one by an UNLINK. */
  hasMoreNames: boolean;
  /** What was done to it is more than is understood here. */
  isOdd: boolean;
}

/** What is at a name before an object takes it; '' and none: nothing. */
interface Replaced {
  readonly object: string;
  readonly replaced: Pick<RenameBody, 'replaced' | 'replacedStamp'>;
}

/**
 * The objects of a window that it makes and takes away again, and that nothing else hangs on: nobody who gets all of the
 * window ever needs to hear of them. Pure.
 */
export class Lives {
  readonly #lives = new Map<string, Life>();
  readonly #seen = new Set<string>();
  /** Of directories that stay, the last record that changes names in them or sets their time: in the end that is theirs. */
  readonly #lastTouch = new Map<Directory, number>();
  /** Objects that are left out; fewer and fewer. */
  readonly #gone = new Set<string>();
  /** What RENAMEs replace, while so many objects are left out. */
  #known = { gone: 0, by: new Map<number, Replaced>() };

  constructor(private readonly steps: readonly Step[]) {
    for (const [index, step] of steps.entries()) this.#note(index, step);
    for (const [key, life] of this.#lives) {
      if (life.links === 0 && !life.isOdd) this.#gone.add(key);
    }
    while (this.#keepNeeded());
  }

  /** What is left: records as they were, and RENAMEs that replace what was there before an object that is left out. */
  left(): JournalRecord[] {
    const out = new Set([...this.#gone].flatMap((key) => this.#lives.get(key)?.records ?? []));
    const written = new Map<string, Stamp>();
    return this.steps.flatMap(({ record, object }, index) => {
      if (out.has(index)) return [];
      if (record.body.op === Opcode.CLOSE) written.set(object, stampOf(record));
      return [this.#mend(record, index, written)];
    });
  }

  #note(index: number, { record, object, touches, directory, removes }: Step): void {
    const { body } = record;
    for (const each of touches) this.#lastTouch.set(each, index);
    if (removes !== undefined) this.#lastTouch.delete(removes);
    const setsTime = body.op === Opcode.SETATTR && (body.valid & AttrMask.mtime) !== 0;
    if (setsTime && directory !== undefined) this.#lastTouch.set(directory, index);
    switch (body.op) {
      case Opcode.CREATE:
      case Opcode.MKDIR:
      case Opcode.MKNOD:
      case Opcode.SYMLINK:
        // The first record of a window may have been applied already, and an object may be made a second time.
        if (index > 0 && object !== '' && !this.#seen.has(object)) {
          this.#lives.set(object, newLife(body.op === Opcode.MKDIR));
        } else this.#doubt(object);
        break;
      case Opcode.RENAME:
        this.#rename(index, object, body);
        break;
      case Opcode.LINK:
      case Opcode.UNLINK:
      case Opcode.RMDIR: {
        const life = this.#lives.get(object);
        if (life === undefined) break;
        life.links += body.op === Opcode.LINK ? 1 : -1;
        life.hasMoreNames = true;
        break;
      }
      default:
    }
    this.#lives.get(object)?.records.push(index);
    this.#seen.add(object);
  }

  #doubt(object: string): void {
    const life = this.#lives.get(object);
    if (life !== undefined) life.isOdd = true;
  }

  #rename(index: number, object: string, { flags, replaced }: RenameBody): void {
    const victim = keyOf(replaced);
    this.#seen.add(victim);
    const life = this.#lives.get(object);
    if ((flags & RENAME_EXCHANGE) !== 0 || victim === object) {
      this.#doubt(object);
      this.#doubt(victim);
      return;
    }
    life?.renames.push(index);
    const end = this.#lives.get(victim);
    if (victim === '' || end === undefined) return;
    end.links--;
    end.ends.push(index);
  }

  /**
   * What it has replaced is not taken away by others instead: that takes one who has replaced it in turn, at that name.
   * One whose predecessor is it again does not do: renaming one name of a file over another of it does nothing.
   */
  #isMissed(key: string): boolean {
    const life = this.#lives.get(key);
    const overs = life?.renames.filter((rename) => this.#before(rename).object !== '') ?? [];
    if (life === undefined || overs.length === 0) return false;
    const [over] = overs;
    const [end] = life.ends;
    const isReplaced = life.ends.length === 1 && !life.hasMoreNames && !life.isDirectory;
    const isThere = overs.length === 1 && over === life.renames.at(-1);
    if (!isReplaced || !isThere || over === undefined || end === undefined) return true;
    return this.#before(over).object === this.steps[end]?.object;
  }

  /** @returns whether something has to stay after all, because of what stays. */
  #keepNeeded(): boolean {
    const before = this.#gone.size;
    for (const { object, through } of this.steps) {
      if (this.#gone.has(object)) continue;
      for (const { made } of through) if (made !== undefined) this.#gone.delete(made);
    }
    for (const [directory, index] of this.#lastTouch) {
      if (directory.made !== undefined && this.#gone.has(directory.made)) continue;
      this.#gone.delete(this.steps[index]?.object ?? '');
    }
    for (const key of this.#gone) if (this.#isMissed(key)) this.#gone.delete(key);
    return this.#gone.size < before;
  }

  /** What a RENAME replaces when objects that are left out were never there. */
  #before(rename: number): Replaced {
    // A file that was saved a thousand times has a thousand before it, one after the other.
    if (this.#known.gone !== this.#gone.size)
      this.#known = { gone: this.#gone.size, by: new Map() };
    const { by } = this.#known;
    const passed: number[] = [];
    let at: Replaced | number = rename;
    while (typeof at === 'number') {
      passed.push(at);
      at = by.get(at) ?? this.#oneBefore(at);
    }
    for (const each of passed) by.set(each, at);
    return at;
  }

  /** That, or the RENAME by which it took the name from what was there before it. */
  #oneBefore(rename: number): Replaced | number {
    const body = this.steps[rename]?.record.body;
    if (body?.op !== Opcode.RENAME) return NOTHING;
    const { replaced, replacedStamp } = body;
    const object = keyOf(replaced);
    if (!this.#gone.has(object)) return { object, replaced: { replaced, replacedStamp } };
    const before = this.#lives.get(object)?.renames.at(-1);
    return before === undefined || before >= rename ? NOTHING : before;
  }

  /** @param written the versions that objects have by then, of those that were written */
  #mend(record: JournalRecord, index: number, written: ReadonlyMap<string, Stamp>): JournalRecord {
    const { head, body } = record;
    if (body.op !== Opcode.RENAME || !this.#gone.has(keyOf(body.replaced))) return record;
    const { object, replaced } = this.#before(index);
    const replacedStamp = written.get(object) ?? replaced.replacedStamp;
    return { head, body: { ...body, ...replaced, replacedStamp } };
  }
}

const NOTHING: Replaced = {
  object: '',
  replaced: { replaced: NO_OBJECT, replacedStamp: NO_STAMP },
};

function newLife(isDirectory: boolean): Life {
  return {
    records: [],
    isDirectory,
    links: 1,
    renames: [],
    ends: [],
    hasMoreNames: false,
    isOdd: false,
  };
}
