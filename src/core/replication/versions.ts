import type { ObjectId, Stamp } from '../model/ids.js';
import { sameStamp } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { normalRanges, totalBytes } from '../model/ranges.js';
import { stampOf, type CloseBody, type JournalRecord, type Range } from '../model/records.js';

/** What is different in a version of a file from an older one, `base`. */
export interface Changes {
  readonly base: Stamp;
  /** In order, without overlap, within the new version. */
  readonly ranges: readonly Range[];
  /** The older version is on its way already; else who asks has to look whether it is there. */
  readonly promised: boolean;
}

/** The updates of one file's contents that led from `base` to `to`, where all that they wrote is known. */
interface Chain {
  readonly base: Stamp;
  readonly to: Stamp;
  /** Undefined: anything may have changed. */
  readonly ranges: readonly Range[] | undefined;
  readonly promised: boolean;
}

/** More files than these are not remembered; those that are forgotten are fetched whole. */
const CHAINS_MAX = 4096;

/**
 * Follows the versions of files through the records of one peer, in their order, so that of a file that is here in an older
 * version only what was written since has to come. Pure.
 */
export class Versions {
  readonly #chains = new Map<string, Chain>();

  /** What the contents of this CLOSE differ in from a version that is here or comes before; undefined: take all of it. */
  changes(record: JournalRecord, body: CloseBody): Changes | undefined {
    const { base, ranges, promised } = this.#next(record, body);
    if (ranges === undefined || base.replica === 0) return undefined;
    const normal = normalRanges(ranges, body.size);
    const worth = totalBytes(normal) * 2 <= body.size && normal.length <= LIMITS.fetchRanges;
    return worth ? { base, ranges: normal, promised } : undefined;
  }

  /** The contents of this CLOSE will be in place when the next record has its turn. */
  arrived(record: JournalRecord): void {
    const version = stampOf(record);
    this.#keep(record.head.object, { base: version, to: version, ranges: [], promised: true });
  }

  /** They have been superseded: the next version brings also what this one wrote. */
  superseded(record: JournalRecord, body: CloseBody): void {
    this.#keep(record.head.object, this.#next(record, body));
  }

  #next(record: JournalRecord, body: CloseBody): Chain {
    const { object, before } = record.head;
    const known = this.#chains.get(keyOf(object));
    const chain =
      known !== undefined && sameStamp(known.to, before)
        ? known
        : { base: before, ranges: [], promised: false };
    const all = chain.ranges === undefined || body.ranges.length === 0;
    const ranges = all ? undefined : normalRanges([...chain.ranges, ...body.ranges], Infinity);
    return { ...chain, to: stampOf(record), ranges };
  }

  #keep(object: ObjectId, chain: Chain): void {
    const key = keyOf(object);
    const tooMany = (chain.ranges?.length ?? 0) > LIMITS.fetchRanges;
    this.#chains.delete(key);
    this.#chains.set(key, tooMany ? { ...chain, ranges: undefined } : chain);
    if (this.#chains.size <= CHAINS_MAX) return;
    const oldest = this.#chains.keys().next();
    if (oldest.done !== true) this.#chains.delete(oldest.value);
  }
}

function keyOf({ replica, number }: ObjectId): string {
  return `${replica}:${number}`;
}
