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
  /** A host's sysid name; while the permit passes from one to the other, still the old one. */
  readonly holder: string;
  /** Milliseconds of the machine's clock at which the holder got it. */
  readonly since: number;
  /** The holder has applied all that there was when it got it, and can use it. */
  readonly used: boolean;
  readonly waiting: readonly string[];
  readonly handover: Handover | undefined;
}

export interface Handover {
  readonly from: string;
  /** At this time the old holder is declared lost; Infinity when that was done. */
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
  return {
    generation: 1,
    holder: server,
    since: now,
    used: true,
    waiting: [],
    handover: undefined,
  };
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

/** The holder is at work with what it has the permit for: it may take its time to give it back. */
export function extended(table: PermitTable, who: string, now: number): PermitTable {
  const { handover } = table;
  if (handover?.from !== who || handover.deadline === Infinity) return table;
  return { ...table, handover: { ...handover, deadline: now + LIMITS.permitRevokeMs } };
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

/** The holder has applied all that there was. */
export function caughtUp(table: PermitTable): PermitTable {
  return table.used ? table : { ...table, used: true };
}

/** Time passes: hand-overs begin when the holder has had its minimum, and end when their deadline is over. */
export function progress(table: PermitTable, now: number): PermitStep {
  const { holder, handover } = table;
  if (handover !== undefined) {
    if (handover.upto !== undefined || now < handover.deadline) return [table, []];
    const lost = { ...table, handover: { ...handover, deadline: Infinity } };
    return [lost, [{ type: 'declare-lost', host: handover.from }]];
  }
  if (table.waiting.length === 0 || now < minimumEnd(table)) return [table, []];
  const begun = { from: holder, deadline: now + LIMITS.permitRevokeMs, upto: undefined };
  const revoke = { type: 'revoke', from: holder, generation: table.generation } as const;
  return [{ ...table, handover: begun }, [revoke]];
}

/** When `progress` will have something to do, or undefined. */
export function nextDeadline(table: PermitTable): number | undefined {
  const { handover } = table;
  if (handover === undefined) return table.waiting.length > 0 ? minimumEnd(table) : undefined;
  return handover.upto === undefined && handover.deadline < Infinity
    ? handover.deadline
    : undefined;
}

/** A host that applies more slowly than others update would never get to use a permit that it has for the minimum only. */
function minimumEnd(table: PermitTable): number {
  return table.since + (table.used ? LIMITS.permitHoldMs : LIMITS.permitCatchUpMs);
}

/** The next in the queue gets it; the server keeps it where nobody waits. */
function passOn(table: PermitTable, server: string, now: number): PermitStep {
  const [next = server, ...waiting] = table.waiting;
  const generation = table.generation + 1;
  return [
    {
      generation,
      holder: next,
      since: now,
      used: next === server,
      waiting,
      handover: undefined,
    },
    [{ type: 'grant', to: next, generation }],
  ];
}
