import { recordToJson } from '../../journal/index.js';
import { formatObjectId } from '../../model/ids.js';
import { displayBytes } from '../../model/names.js';
import type { Conflict } from '../../replication/merge/outcome.js';

/** Who merged what with whom. */
export interface MergeParties {
  readonly fileset: string;
  readonly client: string;
  readonly server: string;
  readonly policy: string;
}

/** A conflict as it lies in the store, `conflict.json`: what happened, and what became of it. */
export interface ConflictEvidence extends MergeParties {
  readonly format: 1;
  readonly time: string;
  readonly collision: string;
  readonly object: string;
  readonly winner: 'server' | 'client';
  /** Somebody has to decide. */
  readonly open: boolean;
  /** Where the version that stands is; bytes that are no UTF-8 are escaped. */
  readonly path: string;
  /** The version that lost, where it is a file beside the other. */
  readonly beside: string | null;
  /** It is in the store, as `contents`, with the attributes it had. */
  readonly stored: boolean;
  readonly clientUpdate: unknown;
  readonly serverUpdate: unknown;
}

export function evidenceOf(
  conflict: Conflict,
  path: string,
  stored: boolean,
  parties: MergeParties,
): ConflictEvidence {
  const { collision, verdict, object, client, server, beside } = conflict;
  return {
    format: 1,
    ...parties,
    time: new Date().toISOString(),
    collision,
    object: formatObjectId(object.id),
    winner: verdict.winner,
    open: verdict.open,
    path: displayBytes(path),
    beside: beside === undefined ? null : displayBytes(beside),
    stored,
    clientUpdate: recordToJson(client),
    serverUpdate: server === undefined ? null : recordToJson(server),
  };
}
