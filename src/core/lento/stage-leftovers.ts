import { readdirSync, rmSync } from 'node:fs';
import type { Replica } from './replica.js';

/** Contents of records, which the next session goes on with; and what presto is putting in place. */
const KEPT = /^(redo-.*|[0-9a-f]+-[0-9]+(-[0-9a-f]+)?)$/;

/**
 * Removes from the stage what belongs to a merge or to a resync: for when none is going on, neither here nor in presto. Where
 * lento was killed in the middle of one, nobody else does.
 */
export function removeLeftovers(replica: Replica): void {
  for (const name of readdirSync(replica.stagePath(''))) {
    if (!KEPT.test(name)) rmSync(replica.stagePath(name), { recursive: true, force: true });
  }
}
