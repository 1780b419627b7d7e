import type { Recno } from '../model/ids.js';

/** Which records a batch is about: from the first of these numbers up to the one before the other. */
export interface BatchSpan {
  readonly from: Recno;
  readonly next: Recno;
}

/** What a record of a peer's log says of itself. */
export interface Numbered<Host> {
  /** Its place in that log. */
  readonly recno: Recno;
  /** Whose user made the update, and its number there. */
  readonly origin: Host;
  readonly originRecno: Recno;
}

/**
 * Why a batch cannot be what comes next of a peer's log: batches follow one another without a gap; numbers grow within, from
 * where it begins, and stay below what it says comes next. undefined: it can be.
 */
export function faultOfBatch(
  { from, next }: BatchSpan,
  records: readonly { readonly recno: Recno }[],
  expected: Recno,
): string | undefined {
  if (from !== expected) return 'a batch is missing';
  let last = from - 1;
  for (const { recno } of records) {
    if (recno <= last || recno >= next) return 'the records of a batch are out of order';
    last = recno;
  }
  return undefined;
}

/**
 * Why a client's records are not to be logged: it passes nobody's updates on, which with another's name on them would be
 * kept from that one; and nobody has seen updates that are yet to be made. undefined: they are its own.
 */
export function faultOfOrigin<Host>(
  client: Host,
  records: readonly Numbered<Host>[],
): string | undefined {
  // What a merge has amended keeps the number that it was made under.
  const areOwn = records.every(
    ({ recno, origin, originRecno }) => origin === client && originRecno <= recno,
  );
  return areOwn ? undefined : 'a record of another replica';
}
