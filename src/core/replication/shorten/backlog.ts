import type { Recno } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { isWithin, type Stretch } from '../../model/position.js';
import { Opcode, type JournalRecord, type RecordHead } from '../../model/records.js';
import { shorten } from './shorten.js';

/** A record as some log has it, with whatever that knows of it besides. */
export interface Logged {
  readonly record: JournalRecord;
}

/** What is shortened. */
export interface BacklogLog<Item extends Logged> {
  /** Records `from` to `upto`, as many as are shortened at a time. @throws Error where they cannot be read */
  read(from: Recno, upto: Recno): readonly Item[];
  /** The first record from `recno` on that no merge has made void. */
  notVoid(recno: Recno): Recno;
}

/** A stretch of the log, and the records of its shortened history. */
export interface Shortened<Item extends Logged> {
  readonly stretch: Stretch;
  readonly left: readonly Item[];
}

/** As many of 10 left are not worth the trouble. */
const LEFT_OF_TEN = 9;

/**
 * What a peer has missed of a log while it was not connected: it gets that shortened, a stretch at a time. What is done while
 * it is connected it gets as it is. Who has a part of a stretch says so, and gets the rest of it, shortened in the same way.
 */
export class Backlog<Item extends Logged> {
  /** Those that the peer may not have all of yet. */
  #stretches: Shortened<Item>[] = [];
  #begun: Stretch;
  /** Records up to this one were looked at, whether or not that made a stretch of them. */
  #seen: Recno = 0;

  /**
   * @param begun the stretch that the peer has in part; the rest of it comes in any case
   * @param upto records up to this one may be shortened; 0: none
   * @param least with fewer records it is not worth the trouble
   */
  constructor(
    private readonly log: BacklogLog<Item>,
    begun: Stretch,
    private readonly upto: Recno,
    private readonly least: number = LIMITS.stretchLeast,
  ) {
    this.#begun = begun;
  }

  /**
   * The stretch that begins with `from`, for whom records are as `isFor` says; undefined where there is none worth it. It is
   * begun with `add`, when all that the log has of it is durable: what is left out nobody could give back.
   * @throws Error where the log cannot be read
   */
  next(from: Recno, isFor: (head: RecordHead) => boolean): Shortened<Item> | undefined {
    const start = this.log.notVoid(from);
    if (start <= this.#seen || this.upto - start + 1 < this.least) return undefined;
    if (this.at(start) !== undefined) return undefined;
    const items = this.log.read(start, this.upto);
    const odd = items.findIndex(({ record }) => !this.#isPlain(record, isFor));
    const usable = odd < 0 ? items : items.slice(0, odd);
    this.#seen = usable.at(-1)?.record.head.recno ?? start;
    if (usable.length < this.least) return undefined;
    const made = shortened(usable, { from: start, to: this.#seen });
    return made.left.length * 10 > usable.length * LEFT_OF_TEN ? undefined : made;
  }

  add(made: Shortened<Item>): void {
    this.#stretches.push(made);
  }

  /** What the peer has itself made, or a merge has put in the place of others, is no part of a stretch. */
  #isPlain({ head, body }: JournalRecord, isFor: (head: RecordHead) => boolean): boolean {
    if (this.log.notVoid(head.recno) !== head.recno) return false;
    return body.op === Opcode.NOOP ? body.replaces === 0 : isFor(head);
  }

  /** The stretch that record `recno` is in, as the peer gets it. @throws Error where the log cannot be read */
  at(recno: Recno): Shortened<Item> | undefined {
    const { from, to } = this.#begun;
    if (from <= recno && recno <= to && !this.#stretches.some((s) => s.stretch.to === to)) {
      const items = this.log.read(from, to);
      if (items.at(-1)?.record.head.recno !== to) {
        throw new Error(`records ${from} to ${to} are none that a peer can have in part`);
      }
      this.#stretches.push(shortened(items, this.#begun));
    }
    return this.#stretches.find(({ stretch }) => stretch.from <= recno && recno <= stretch.to);
  }

  /**
   * What a peer that expects `expected` lacks of a stretch that it has in part, but for what a merge has made void since; and
   * the record that the log goes on with behind it. @throws Error where the log cannot be read
   */
  rest(expected: Recno): { readonly left: readonly Item[]; readonly next: Recno } {
    const within = this.at(expected);
    if (within === undefined) return { left: [], next: expected };
    const left = within.left.filter(({ record: { head } }) => {
      return head.recno >= expected && this.log.notVoid(head.recno) === head.recno;
    });
    return { left, next: within.stretch.to + 1 };
  }

  /** Where the log has to begin for a peer that expects `expected`. */
  heldFrom(expected: Recno): Recno {
    const all = [this.#begun, ...this.#stretches.map(({ stretch }) => stretch)];
    const within = all.find((stretch) => isWithin(stretch, expected));
    this.#stretches = this.#stretches.filter(({ stretch }) => stretch.to >= expected);
    return within?.from ?? expected;
  }
}

/** Items keep what else the log knows of their records. The first may have a later number than the stretch begins with. */
function shortened<Item extends Logged>(items: readonly Item[], stretch: Stretch): Shortened<Item> {
  const byRecno = new Map(items.map((item) => [item.record.head.recno, item]));
  const left = shorten(items.map(({ record }) => record)).flatMap((record) => {
    const item = byRecno.get(record.head.recno);
    return item === undefined ? [] : [{ ...item, record }];
  });
  return { stretch, left };
}
