import { NO_OBJECT, formatObjectId, sameObject } from '../model/ids.js';
import { Opcode, type JournalRecord, type RecordBody } from '../model/records.js';
import { isWithin } from '../model/tree-digest.js';

const EXCHANGE = 2;

/** The names that a record is about: that of its object, and a new one. */
function namesOf(body: RecordBody): readonly string[] {
  if (body.op === Opcode.NOOP) return [];
  if (body.op === Opcode.RENAME || body.op === Opcode.LINK) return [body.path, body.newPath];
  return [body.path];
}

const isBirth = ({ op }: RecordBody): boolean =>
  op === Opcode.CREATE || op === Opcode.MKDIR || op === Opcode.MKNOD || op === Opcode.SYMLINK;

/** `path` as it was before `from` became `to`. */
function before(path: string, from: string, to: string): string | undefined {
  return isWithin(path, to) ? from + path.slice(to.length) : undefined;
}

/**
 * Says of records, the newest first, whether they belong to the history of a path: to what has that name now and whatever had
 * it before, under all names that those had, also by a rename of a directory above them; and to what is below it. Give it
 * every record.
 */
export class PathHistory {
  readonly #objects = new Set<string>();
  /** The path under its names of that time. */
  readonly #own: Set<string>;
  /** Names that its objects had before they were moved there; forgotten where those were made. */
  readonly #former = new Set<string>();

  constructor(path: string) {
    this.#own = new Set([path]);
  }

  /** Goes back behind a record. @returns whether that belongs to the history */
  back({ head, body }: JournalRecord): boolean {
    const object = formatObjectId(head.object);
    const names = [...this.#own, ...this.#former];
    const touched = namesOf(body);
    const isOf = touched.some((each) => names.some((name) => isWithin(each, name)));
    const isAt = touched.some((each) => names.includes(each));
    const isKnown = this.#objects.has(object);
    if (isAt) this.#objects.add(object);
    if (body.op === Opcode.RENAME) {
      const { replaced, path, newPath, flags } = body;
      if (isAt && !sameObject(replaced, NO_OBJECT)) this.#objects.add(formatObjectId(replaced));
      const isAbove = this.#renamed(path, newPath, (flags & EXCHANGE) !== 0);
      return isOf || isKnown || isAbove;
    }
    if (isBirth(body)) for (const each of touched) this.#former.delete(each);
    return isOf || isKnown;
  }

  /** Goes on with a record that is newer than all before. @returns whether it belongs to the history */
  forward({ head, body }: JournalRecord): boolean {
    const touched = namesOf(body);
    const object = formatObjectId(head.object);
    const isOf = touched.some((each) => [...this.#own].some((name) => isWithin(each, name)));
    if (touched.some((each) => this.#own.has(each))) this.#objects.add(object);
    if (body.op === Opcode.RENAME && this.#own.has(body.path)) this.#own.add(body.newPath);
    return isOf || this.#objects.has(object);
  }

  /** @returns whether the rename was of something above a name */
  #renamed(from: string, to: string, exchange: boolean): boolean {
    let isAbove = false;
    for (const names of [this.#own, this.#former]) {
      for (const name of [...names]) {
        const old = before(name, from, to) ?? (exchange ? before(name, to, from) : undefined);
        if (old === undefined) continue;
        if (name === to || (exchange && name === from)) {
          this.#former.add(old);
          continue;
        }
        isAbove = true;
        names.delete(name);
        names.add(old);
      }
    }
    return isAbove;
  }
}
