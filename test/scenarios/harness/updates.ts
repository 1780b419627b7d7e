import type { Recno } from '../../../src/core/model/ids.js';
import type { Stretch } from '../../../src/core/model/position.js';
import type { JournalRecord } from '../../../src/core/model/records.js';
import type { PaperTree } from '../../support/paper/tree.js';
import type { PaperBacklog } from './paper-backlog.js';

/** A record of some host's log: which update it is, and where it stands in the log of the host that made it. */
export interface Rec {
  readonly id: string;
  readonly origin: string;
  readonly originRecno: Recno;
  /** Its contents do not come along: they are fetched. */
  readonly big: boolean;
  /** What it does to the tree; undefined where updates are nothing but their names. */
  readonly record?: JournalRecord;
  /** This is no update: the records of the log from that one up to this one are void. */
  readonly replaces?: Recno;
}

/** A merge that lento has planned. */
export interface Plan {
  readonly peer: string;
  readonly items: readonly Item[];
  readonly next: Recno;
  readonly checksum: string;
  /** The first of the log's records that the peer does not have. */
  readonly replaces: Recno;
  /** The end of the log that the plan is made for. */
  readonly end: Recno;
  /** What this host's log has for the peer. */
  readonly backlog: PaperBacklog;
  /** The server's tree. */
  readonly server: PaperTree | undefined;
  readonly serverName: string;
  /** All updates that the server has: it is not its records that came, but its tree. */
  readonly whole?: readonly string[];
}

export interface Item {
  readonly recno: Recno;
  readonly rec: Rec;
  /** The contents that come with it, or are fetched. */
  data?: string | undefined;
}

export interface Batch {
  readonly items: readonly Item[];
  readonly from: Recno;
  readonly next: Recno;
  readonly acked: Recno;
  /** Stands for the checksum of the last record: which update it is. */
  readonly checksum: string;
  readonly stretch: Stretch;
}

export interface Applied {
  readonly expected: Recno;
  readonly end: Recno;
  readonly failure?: string;
}

export interface Progress {
  readonly expected: Recno;
  readonly checksum: string;
  readonly stretch: Stretch;
  readonly epoch: number;
}

/** What is on the disk. */
export interface Durable {
  readonly log: number;
  readonly history: readonly string[];
  readonly progress: ReadonlyMap<string, Progress>;
  /** Brings back the tree of that moment. */
  readonly revert: (() => void) | undefined;
}

export type Gate = 'disconnected' | 'absent' | 'held';

/** What presto tells without being asked. */
export type Notice = { readonly kind: 'want' } | { readonly kind: 'log'; readonly recno: Recno };
