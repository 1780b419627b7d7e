import {
  pathToBase64,
  type ConflictEvidence,
  type MergeParties,
} from '../../conflicts/evidence.js';
import { recordToJson } from '../../journal/index.js';
import { formatObjectId } from '../../model/ids.js';
import { displayBytes } from '../../model/names.js';
import type { Conflict } from '../../replication/merge/outcome.js';

/** @param places bytes: where the version that stands is, and the one that lost if it is beside */
export function evidenceOf(
  conflict: Conflict,
  { path, beside }: { path: string; beside: string | undefined },
  stored: boolean,
  parties: MergeParties,
): ConflictEvidence {
  const { collision, verdict, object, client, server } = conflict;
  return {
    format: 1,
    ...parties,
    time: new Date().toISOString(),
    collision,
    object: formatObjectId(object.id),
    winner: verdict.winner,
    open: verdict.open,
    path: displayBytes(path),
    pathBytes: pathToBase64(path),
    beside: beside === undefined ? null : displayBytes(beside),
    besideBytes: beside === undefined ? null : pathToBase64(beside),
    stored,
    clientUpdate: recordToJson(client),
    serverUpdate: server === undefined ? null : recordToJson(server),
  };
}
