import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PaperCluster, type Cut, type PaperClient } from '../../../support/paper/cluster.js';
import { anyAct, anyCut } from '../../../support/paper/random-act.js';
import { Written } from '../../../support/paper/written.js';
import type { Merge } from '../../../../src/core/replication/merge/merge.js';
import type { ConflictPolicy } from '../../../../src/core/replication/merge/rules.js';

const SIZE = Number(process.env['MERGE_SIZE'] ?? 8);
const RUNS = Number(process.env['MERGE_RUNS'] ?? 2000);

const anyPolicy = fc.constantFrom<ConflictPolicy>('keep-both', 'server', 'client', 'manual');

function checkConflicts({ steps, conflicts }: Merge): void {
  for (const step of steps) {
    if (step.type !== 'store' && step.type !== 'store-of-server') continue;
    const claimed = conflicts.some(({ lost }) => lost === step.object);
    assert.ok(claimed, 'a version goes to the store, and no conflict tells of it');
  }
}

function sync(cluster: PaperCluster, client: PaperClient, { sent }: Cut = {}): void {
  const merged = cluster.sync(client, { sent });
  if (merged !== undefined) checkConflicts(merged);
  if (sent !== undefined) return;
  assert.deepEqual(client.host.tree.describe(), cluster.server.tree.describe());
}

describe('a merge of any two histories', () => {
  it('makes both trees equal, and loses nothing that anybody wrote', () => {
    const acts = fc.array(anyAct, { maxLength: SIZE });
    const story = fc.record({
      before: fc.array(anyAct, { maxLength: 14 }),
      ours: acts,
      theirs: acts,
      policy: anyPolicy,
      furnished: fc.boolean(),
    });
    fc.assert(
      fc.property(story, ({ before, ours, theirs, policy, furnished }) => {
        const cluster = new PaperCluster('office', ['laptop']);
        cluster.policy = policy;
        if (furnished) cluster.furnish();
        const written = new Written();
        const [client] = cluster.clients;
        assert.ok(client !== undefined);
        for (const act of before) written.act(cluster.server, act);
        sync(cluster, client);
        for (const act of ours) written.act(client.host, act);
        for (const act of theirs) written.act(cluster.server, act);
        sync(cluster, client);
        written.check(cluster);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('merges of several clients, one after the other', () => {
  it('make all trees equal, and lose nothing that anybody wrote', () => {
    const move = fc.oneof(
      { weight: 5, arbitrary: fc.record({ host: fc.nat(3), act: anyAct }) },
      { weight: 1, arbitrary: fc.record({ client: fc.nat(2), sent: anyCut }) },
    );
    const story = fc.record({
      moves: fc.array(move, { maxLength: 6 * SIZE, size: 'max' }),
      policy: anyPolicy,
      furnished: fc.boolean(),
    });
    fc.assert(
      fc.property(story, ({ moves, policy, furnished }) => {
        const cluster = new PaperCluster('office', ['laptop', 'desk', 'home']);
        cluster.policy = policy;
        if (furnished) cluster.furnish();
        const written = new Written();
        for (const each of moves) {
          if ('act' in each) written.act(cluster.hosts[each.host]!, each.act);
          else sync(cluster, cluster.clients[each.client]!, each);
        }
        for (const client of [...cluster.clients, ...cluster.clients]) sync(cluster, client);
        written.check(cluster);
      }),
      { numRuns: RUNS },
    );
  });
});
