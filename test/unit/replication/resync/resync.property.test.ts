import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ConflictPolicy } from '../../../../src/core/replication/merge/rules.js';
import { PaperCluster, type Cut, type PaperClient } from '../../../support/paper/cluster.js';
import type { PaperHost } from '../../../support/paper/host.js';
import { anyAct, anyCut, doAct } from '../../../support/paper/random-act.js';
import { Written } from '../../../support/paper/written.js';

const SIZE = Number(process.env['MERGE_SIZE'] ?? 8);
const RUNS = Number(process.env['MERGE_RUNS'] ?? 600);

const anyPolicy = fc.constantFrom<ConflictPolicy>('keep-both', 'server', 'client', 'manual');

/** What has no contents has no version of them that matters. */
function describeTree({ tree }: PaperHost): string[] {
  const content = /\d+\.\d+( \d+\.\d+ \S*)$/;
  return tree
    .describe()
    .map((line) => (line.includes(' file ') ? line : line.replace(content, '$1')));
}

describe('a replicator that gets the tree of the server instead of its log', () => {
  it('ends with the same tree where it has changed nothing', () => {
    const acts = fc.array(anyAct, { maxLength: 3 * SIZE });
    fc.assert(
      fc.property(acts, acts, (before, theirs) => {
        const cluster = new PaperCluster('office', ['laptop']);
        const [client] = cluster.clients;
        assert.ok(client !== undefined);
        for (const act of before) doAct(cluster.server, act);
        cluster.sync(client);
        for (const act of theirs) doAct(cluster.server, act);
        const merged = cluster.resync(client);
        assert.deepEqual(describeTree(client.host), describeTree(cluster.server));
        assert.deepEqual(merged.conflicts, []);
        assert.deepEqual(merged.amendments, []);
      }),
      { numRuns: RUNS },
    );
  });

  it('ends as equal, and loses nothing that anybody wrote, where it has changed something', () => {
    const move = fc.oneof(
      { weight: 6, arbitrary: fc.record({ host: fc.nat(2), act: anyAct }) },
      {
        weight: 1,
        arbitrary: fc.record({ client: fc.nat(1), trimmed: fc.boolean(), sent: anyCut }),
      },
    );
    const story = fc.record({
      moves: fc.array(move, { maxLength: 5 * SIZE, size: 'max' }),
      policy: anyPolicy,
    });
    fc.assert(
      fc.property(story, ({ moves, policy }) => {
        const cluster = new PaperCluster('office', ['laptop', 'desk']);
        cluster.policy = policy;
        const written = new Written();
        const meet = (
          client: PaperClient,
          { trimmed = true, sent }: Cut & { trimmed?: boolean },
        ): void => {
          if (trimmed) cluster.resync(client, { sent });
          else cluster.sync(client, { sent });
          if (sent === undefined) {
            assert.deepEqual(describeTree(client.host), describeTree(cluster.server));
          }
        };
        for (const each of moves) {
          if ('act' in each) written.act(cluster.hosts[each.host]!, each.act);
          else meet(cluster.clients[each.client]!, each);
        }
        for (const client of [...cluster.clients, ...cluster.clients]) meet(client, {});
        written.check(cluster);
      }),
      { numRuns: RUNS },
    );
  });
});
