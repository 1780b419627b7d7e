import { Opcode } from '../../model/records.js';
import { merge, type Divergence, type Merge } from '../merge/merge.js';
import type { MergeTerms } from '../merge/merging.js';
import type { ClientStep } from '../merge/outcome.js';

/**
 * Merges what `newsFrom` has made of the server's tree. Where the client has nothing to be merged with, and nothing has to
 * make way, which is how a new client gets its first tree, the news is done as it stands: to decide about millions of
 * updates that nothing speaks against takes several times the memory and the time. Pure. @throws MergeRefused
 */
export function mergeTree(divergence: Divergence, terms: MergeTerms): Merge {
  const { pending, news, times = [] } = divergence;
  if (pending.length > 0 || news.some(({ body }) => body.op === Opcode.RENAME)) {
    return merge(divergence, terms);
  }
  const steps: ClientStep[] = [];
  for (const { head, body } of news) {
    if (body.op !== Opcode.NOOP) steps.push({ type: 'record', head, body });
  }
  for (const { path, time } of times) steps.push({ type: 'touch', path, time });
  const nowhere = (): undefined => undefined;
  return {
    ...{ steps, amendments: [], conflicts: [], questions: [], renewed: [] },
    ...{ pathOf: nowhere, pathAt: nowhere, nextFree: terms.firstFree },
  };
}
