import type { Recno } from '../../model/ids.js';
import type { PrestoStatus } from '../../psdev/messages.js';

/** What is wrong where there is no answer of presto. */
export const SILENT_PRESTO =
  'presto does not answer: it is stopped, waits for its disk, or has very much to do; umountizo says which';

/** What of a log somebody does not have, as far as is known. */
export interface Lag {
  readonly records: number;
  readonly bytes: number;
  /** When the oldest of these updates was made, as ISO 8601; undefined where there are none. */
  readonly since: string | undefined;
}

/** Seen from this host. */
export type Direction = 'to' | 'from';

/** Contents of a file that are on their way to the peer, or from it. */
export interface TransferStatus {
  readonly direction: Direction;
  readonly path: string;
  /** What of it is there, and what there will be: holes count, parts that did not change do not. */
  readonly bytes: number;
  readonly size: number;
  /** Bytes a second, lately. */
  readonly rate: number;
}

/** What does not pass to the peer, or from it. */
export interface StuckStatus {
  readonly direction: Direction;
  readonly path: string;
  /** The name of the record, `fetch` for getting its contents, `read` for sending them. */
  readonly operation: string;
  /** The name of the error number, or `diverged`. */
  readonly errno: string;
  /** As ISO 8601. */
  readonly since: string;
}

/** One peer of a fileset as `izo status` shows it. */
export interface PeerStatus {
  readonly name: string;
  readonly connected: boolean;
  /** What of ours it has not acknowledged; undefined where it has never been met since lento started. */
  readonly lag: Lag | undefined;
  /** The next record of its log that this host expects. */
  readonly expected: Recno | undefined;
  readonly since: string | undefined;
  readonly error: string | undefined;
  readonly transfers: readonly TransferStatus[];
  readonly stuck: readonly StuckStatus[];
}

/** This host's log of a fileset: sizes are bytes. */
export interface LogStatus {
  readonly bytes: number;
  /** The number that it begins with. */
  readonly first: Recno;
  /** What some host does not have yet, as far as is known; what of that may pile up, and whether more is thrown away. */
  readonly waiting: number;
  readonly backlog: number;
  readonly givesUp: boolean;
  /** Replicators that need more than the log still has. */
  readonly givenUp: readonly string[];
  /** Why it is not trimmed. */
  readonly error: string | undefined;
}

/** A replicator that takes the whole tree of its server. */
export interface ResyncStatus {
  readonly phase: 'comparing' | 'fetching' | 'merging';
  /** Of the server's tree, as far as it was looked at. */
  readonly entries: number;
  /** Files whose contents were missing here, those of them that have come, and their bytes. */
  readonly missing: number;
  readonly files: number;
  readonly bytes: number;
}

export interface FilesetStatus {
  readonly name: string;
  readonly role: 'server' | 'client';
  readonly server: string;
  readonly mounted: boolean;
  readonly mountPoint: string | undefined;
  /** `log/recno` of the last record of this host. */
  readonly position: string | undefined;
  readonly permit: {
    /** `self`, another host's name, or undefined where that is not known here. */
    readonly holder: string | undefined;
    readonly waiting: readonly string[];
    readonly generation: number | undefined;
  };
  readonly link: string;
  readonly resync?: ResyncStatus | undefined;
  readonly peers: readonly PeerStatus[];
  /** Conflicts that this host has merged and nobody has resolved. */
  readonly conflicts: number;
  /** undefined: not mounted, or no answer. */
  readonly presto: PrestoStatus | undefined;
  readonly log: LogStatus | undefined;
  readonly error: string | undefined;
}

/** The answer to `sync`. */
export interface SyncResult {
  readonly fileset: string;
  readonly recno: Recno;
  /** Hosts that have the record. */
  readonly complete: readonly string[];
  /** Replicators that are not connected: they get it when they are. */
  readonly absent: readonly string[];
}
