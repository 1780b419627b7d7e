import { Opcode, type JournalRecord, type Time } from '../model/records.js';

/** What of a history is wanted; a field that is missing lets everything through. */
export interface HistoryFilter {
  readonly uid?: number | undefined;
  /** Replica id of the host where it was done. */
  readonly origin?: number | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Opcodes. */
  readonly operations?: ReadonlySet<number> | undefined;
}

const milliseconds = ({ sec, nsec }: Time): number => sec * 1000 + nsec / 1e6;

export function isWanted({ head, body }: JournalRecord, filter: HistoryFilter): boolean {
  const { uid, origin, since, until, operations } = filter;
  const time = milliseconds(head.time);
  return (
    (uid === undefined || head.actor.uid === uid) &&
    (origin === undefined || head.origin === origin) &&
    (since === undefined || time >= since.getTime()) &&
    (until === undefined || time < until.getTime()) &&
    (operations === undefined || operations.has(body.op)) &&
    // It changes nothing, and tells of a merge at most.
    (body.op !== Opcode.NOOP || operations !== undefined)
  );
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `2h` (ago), `2026-01-31`, `2026-01-31 12:00`. @returns undefined for anything else */
export function parseMoment(text: string, now: Date): Date | undefined {
  const [, count, unit = ''] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (count !== undefined)
    return new Date(now.getTime() - Number(count) * (UNITS[unit] ?? 0) * 1000);
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  // A day alone is one of this place, as a time without a zone is.
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text.replace(' ', 'T'));
  return Number.isNaN(date.getTime()) ? undefined : date;
}
