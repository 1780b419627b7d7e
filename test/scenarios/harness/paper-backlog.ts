import { NO_OBJECT, NO_STAMP, type Recno } from '../../../src/core/model/ids.js';
import type { Stretch } from '../../../src/core/model/position.js';
import { Opcode, type JournalRecord } from '../../../src/core/model/records.js';
import { Backlog, type Shortened } from '../../../src/core/replication/shorten/backlog.js';
import type { Batch, Item, Rec } from './updates.js';

/** A record that says what is done to a tree, with the number that it has in this log. */
export interface PaperLogged {
  readonly record: JournalRecord;
  readonly rec: Rec;
}

/** How many records are shortened at a time, and the least. */
const STRETCH_MOST = 12;
const STRETCH_LEAST = 3;

/** What a batch is read for. */
export interface Wanted {
  readonly from: Recno;
  readonly isFor: (rec: Rec) => boolean;
  readonly acked: Recno;
  readonly size: number;
  readonly backlog: PaperBacklog;
}

/** PeerBacklog in memory. */
export class PaperBacklog extends Backlog<PaperLogged> {
  constructor(
    private readonly items: readonly Item[],
    notVoid: (recno: Recno) => Recno,
    begun: Stretch,
    upto: Recno,
  ) {
    const read = (from: Recno, to: Recno): PaperLogged[] => logged(items, from, to);
    super({ read, notVoid }, begun, upto, STRETCH_LEAST);
  }

  /** The stretch that begins with `start`, where there is one worth it. */
  nextFor(start: Recno, isFor: (rec: Rec) => boolean): Shortened<PaperLogged> | undefined {
    return this.next(start, ({ recno }) => {
      const item = this.items.find((each) => each.recno === recno);
      return item !== undefined && isFor(item.rec);
    });
  }

  /** The batch from `start` on, which is in a stretch. */
  batch(
    start: Recno,
    { stretch, left }: Shortened<PaperLogged>,
    { from, acked, size }: Wanted,
    dataOf: (rec: Rec) => string | undefined,
  ): Batch {
    const rest = left.filter(({ record }) => record.head.recno >= start);
    const items = rest.slice(0, size).map((each) => {
      const rec = mended(each);
      return { recno: each.record.head.recno, rec, data: rec.big ? undefined : dataOf(rec) };
    });
    const about = { items, from, acked, stretch };
    if (rest.length > size) return { ...about, next: (items.at(-1)?.recno ?? 0) + 1, checksum: '' };
    const end = this.items.find(({ recno }) => recno === stretch.to);
    return { ...about, next: stretch.to + 1, checksum: end?.rec.id ?? '' };
  }
}

/** The update as a shortened history has it. */
export function mended({ rec, record }: PaperLogged): Rec {
  const { body } = record;
  return rec.record === undefined ? rec : { ...rec, record: { ...rec.record, body } };
}

export function withoutLastClose(left: readonly PaperLogged[]): readonly PaperLogged[] {
  const last = left.findLastIndex(({ record }) => record.body.op === Opcode.CLOSE);
  return left.filter((_, index) => index !== last || index === 0);
}

const NOTHING: JournalRecord = {
  head: {
    ...{ recno: 0, origin: 0, originRecno: 0, time: { sec: 0, nsec: 0 } },
    ...{ actor: { uid: 0, gid: 0, pid: 0, groups: [] }, object: NO_OBJECT, before: NO_STAMP },
  },
  body: { op: Opcode.NOOP, replaces: 0 },
};

/** The records of a log that can be shortened together. */
function logged(log: readonly Item[], from: Recno, to: Recno): PaperLogged[] {
  const items = log.filter(({ recno }) => from <= recno && recno <= to);
  return items.slice(0, STRETCH_MOST).map(({ recno, rec }) => {
    const { head, body } = rec.record ?? NOTHING;
    if (rec.replaces === undefined) return { rec, record: { head: { ...head, recno }, body } };
    const noop = { op: Opcode.NOOP, replaces: rec.replaces };
    return { rec, record: { head: { ...NOTHING.head, recno }, body: noop } };
  });
}
