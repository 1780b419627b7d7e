import { LIMITS } from '../model/limits.js';
import type { Recno } from '../model/ids.js';

/**
 * Who may update a fileset: kept by its server. Pure.
 *
 * Invariants: (1) there is at most one holder; (2) a generation is granted to one host only, and generations grow;
 * (3) a new holder is named only when the old one has stopped and the server has applied all that the old one made, or
 * when the old one is declared lost.
 */
export interface PermitTable {
  readonly generation: number;
  /** A host's sysid name; undefined while the permit passes from one to the other. */
  readonly holder: string | undefined;
  /** Milliseconds of the machine's clock at which the holder got it. */
  readonly since: number;
  readonly waiting: readonly string[];
  readonly handover: Handover | undefined;
}

export interface Handover {
  readonly from: string;
  /** At this time the old holder is declared lost. */
  readonly deadline: number;
  /** What the old holder has made is applied when the server expects more than this; undefined until it has answered. */
  readonly upto: Recno | undefined;
}

export type PermitEffect =
  | { readonly type: 'revoke'; readonly from: string; readonly generation: number }
  | { readonly type: 'grant'; readonly to: string; readonly generation: number }
  | { readonly type: 'declare-lost'; readonly host: string };

export type PermitStep = readonly [PermitTable, readonly PermitEffect[]];

export function permitsOf(server: string, now: number): PermitTable {
  return { generation: 1, holder: server, since: now, waiting: [], handover: undefined };
}

/** `who` wants the permit. Asked again by the holder, it is granted again. */
export function requested(table: PermitTable, who: string, now: number): PermitStep {
  if (table.holder === who && table.handover === undefined) {
    return [table, [{ type: 'grant', to: who, generation: table.generation }]];
  }
  if (table.waiting.includes(who)) return progress(table, now);
  return progress({ ...table, waiting: [...table.waiting, who] }, now);
}

/** The holder has stopped; its last record is `end` of its own log. */
export function released(table: PermitTable, who: string, end: Recno): PermitTable {
  if (table.handover?.from !== who) return table;
  return { ...table, handover: { ...table.handover, upto: end } };
}

/** `expected`: what the server expects next from the host that the permit is coming from. */
export function drained(
  table: PermitTable,
  server: string,
  expected: (host: string) => Recno,
  now: number,
): PermitStep {
  const { handover } = table;
  if (handover?.upto === undefined) return [table, []];
  if (handover.from !== server && expected(handover.from) <= handover.upto) return [table, []];
  return passOn(table, server, now);
}

/** A host is cut off: the server takes back what it held. */
export function lost(table: PermitTable, who: string, server: string, now: number): PermitStep {
  const waiting = table.waiting.filter((host) => host !== who);
  const without = { ...table, waiting };
  return table.holder === who || table.handover?.from === who
    ? passOn(without, server, now)
    : [without, []];
}

/** Time passes: hand-overs begin when the holder has had its minimum, and end when their deadline is over. */
export function progress(table: PermitTable, now: number): PermitStep {
  if (table.handover !== undefined) {
    const late = table.handover.upto === undefined && now >= table.handover.deadline;
    return [table, late ? [{ type: 'declare-lost', host: table.handover.from }] : []];
  }
  const { holder } = table;
  if (holder === undefined || table.waiting.length === 0) return [table, []];
  if (now < table.since + LIMITS.permitHoldMs) return [table, []];
  const handover = { from: holder, deadline: now + LIMITS.permitRevokeMs, upto: undefined };
  return [{ ...table, handover }, [{ type: 'revoke', from: holder, generation: table.generation }]];
}

/** When `progress` will have something to do, or undefined. */
export function nextDeadline(table: PermitTable): number | undefined {
  if (table.handover !== undefined) {
    return table.handover.upto === undefined ? table.handover.deadline : undefined;
  }
  return table.waiting.length > 0 ? table.since + LIMITS.permitHoldMs : undefined;
}

/** The next in the queue gets it; the server keeps it where nobody waits. */
function passOn(table: PermitTable, server: string, now: number): PermitStep {
  const [next = server, ...waiting] = table.waiting;
  const generation = table.generation + 1;
  return [
    { generation, holder: next, since: now, waiting, handover: undefined },
    [{ type: 'grant', to: next, generation }],
  ];
}
