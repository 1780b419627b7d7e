import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ConflictPolicy } from '../../src/core/replication/merge/rules.js';
import { PaperCluster, type PaperMerge } from '../support/paper/cluster.js';
import { anyAct, anyCut, anyWrite, type Act } from '../support/paper/random-act.js';
import { RealClient } from '../support/paper/real-client.js';
import { Written } from '../support/paper/written.js';
import { TornPresto } from '../support/torn-presto.js';

const RUNS = Number(process.env['MERGE_RUNS'] ?? 40);
const POLICIES = ['keep-both', 'server', 'client', 'manual'] as const;

/** The root's own times and versions are not what a merge is about. */
const lines = (merge: PaperMerge): string[] => merge.after.describe().slice(1);

describe('merges that presto carries out', function () {
  this.timeout(600_000).slow(30_000);
  let torn: TornPresto;
  let umask = 0;
  before(async () => {
    // As presto does: records tell modes whole.
    umask = process.umask(0);
    torn = await TornPresto.make();
  });
  after(async () => {
    process.umask(umask);
    await torn.remove();
  });

  it('make of the tree on disk what they make of it on paper', async () => {
    const moves = (act: fc.Arbitrary<Act>, minLength: number) => {
      const move = fc.oneof(
        { weight: 5, arbitrary: fc.record({ host: fc.nat(2), act }) },
        { weight: 1, arbitrary: fc.record({ client: fc.nat(1), sent: anyCut }) },
      );
      return fc.array(move, { minLength, maxLength: 50, size: 'max' });
    };
    const story = fc.record({
      moves: fc.oneof(moves(anyAct, 10), moves(anyWrite, 5)),
      policy: fc.constantFrom<ConflictPolicy>(...POLICIES),
      furnished: fc.boolean(),
    });
    const real = new RealClient(torn);
    let merges = 0;
    await fc.assert(
      fc.asyncProperty(story, async ({ moves, policy, furnished }) => {
        const cluster = new PaperCluster('office', ['laptop', 'desk']);
        if (furnished) cluster.furnish();
        const made: PaperMerge[] = [];
        cluster.policy = policy;
        cluster.onMerge = (merge) => made.push(merge);
        const written = new Written();
        for (const each of moves) {
          if ('act' in each) written.act(cluster.hosts[each.host]!, each.act);
          else cluster.sync(cluster.clients[each.client]!, each);
        }
        for (const client of cluster.clients) cluster.sync(client);
        for (const merge of made) assert.deepEqual(await real.carryOut(merge), lines(merge));
        merges += made.length;
      }),
      { numRuns: RUNS },
    );
    assert.ok(merges > RUNS, `only ${merges} merges were made`);
  });
});
