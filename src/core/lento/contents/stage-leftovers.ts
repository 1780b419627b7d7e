import { readdirSync, rmSync } from 'node:fs';
import type { ReplicaId } from '../../model/ids.js';
import type { Replica } from '../replica.js';

/** What presto is putting in place; and contents of the records of a peer. */
const KEPT = /^(redo-.*|([0-9a-f]+)-[0-9]+(-[0-9a-f]+)?)$/;

/**
 * Removes from the stage of a client what belongs to a merge or to a resync: for when none is going on, neither here nor in
 * presto. Where lento was killed in the middle of one, nobody else does. Contents of the server's records stay, the next
 * session goes on with them; those of another server, before this one, are no use.
 */
export function removeLeftovers(replica: Replica, server: ReplicaId): void {
  for (const name of readdirSync(replica.stagePath(''))) {
    const [kept, , peer] = KEPT.exec(name) ?? [];
    const isUseful = kept !== undefined && (peer === undefined || peer === server.toString(16));
    if (!isUseful) rmSync(replica.stagePath(name), { recursive: true, force: true });
  }
}
