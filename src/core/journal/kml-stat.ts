import type { ReplicaId } from '../model/ids.js';
import { opcodeName, type Time } from '../model/records.js';
import type { KmlReader } from './kml-reader.js';

export interface Share {
  records: number;
  bytes: number;
}

/** What is in a log. Sizes are bytes of the log. */
export interface KmlStat extends Share {
  readonly log: ReplicaId;
  readonly first: number;
  readonly last: number;
  /** Numbers between those that no record has: they were lost, or never given, before a crash. */
  readonly missing: number;
  readonly operations: ReadonlyMap<string, Share>;
  readonly origins: ReadonlyMap<ReplicaId, Share>;
  /** Times of the earliest and the latest update by their own clocks; undefined: there are none. */
  readonly earliest: Time | undefined;
  readonly latest: Time | undefined;
}

const BATCH = { records: 1000, bytes: 4 * 1024 * 1024 };

const isBefore = (a: Time, b: Time): boolean =>
  a.sec - b.sec < 0 || (a.sec === b.sec && a.nsec < b.nsec);

/** Counts all records of a log. @throws IzoError journal-damaged; SystemError */
export function kmlStat(reader: KmlReader): KmlStat {
  const upto = reader.tail().recno;
  const operations = new Map<string, Share>();
  const origins = new Map<ReplicaId, Share>();
  const all = { records: 0, bytes: 0 };
  const { log, firstRecno: first } = reader.header;
  let earliest: Time | undefined;
  let latest: Time | undefined;
  for (let next = first; next <= upto;) {
    const read = reader.read(next, BATCH, upto);
    for (const { record, length } of read.records) {
      const { time, origin } = record.head;
      add(all, length);
      add(shareOf(operations, opcodeName(record.body.op) ?? 'UNKNOWN'), length);
      add(shareOf(origins, origin), length);
      if (earliest === undefined || isBefore(time, earliest)) earliest = time;
      if (latest === undefined || isBefore(latest, time)) latest = time;
    }
    next = read.next;
  }
  const missing = Math.max(0, upto - first + 1) - all.records;
  return { ...all, log, first, last: upto, missing, operations, origins, earliest, latest };
}

function add(share: Share, bytes: number): void {
  share.records++;
  share.bytes += bytes;
}

function shareOf<K>(shares: Map<K, Share>, key: K): Share {
  const found = shares.get(key) ?? { records: 0, bytes: 0 };
  shares.set(key, found);
  return found;
}
