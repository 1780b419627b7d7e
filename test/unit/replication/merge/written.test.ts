import assert from 'node:assert/strict';
import type { ConflictPolicy } from '../../../../src/core/replication/merge/rules.js';
import { PaperCluster } from '../../../support/paper/cluster.js';

const POLICIES: readonly ConflictPolicy[] = ['keep-both', 'server', 'client', 'manual'];

/** One client is cut off when it has told of contents that it has replaced since; another one has to go on meanwhile. */
describe('contents that their maker had replaced before they could be sent', () => {
  for (const policy of POLICIES) {
    it(`do not count as written where they never came: ${policy}`, () => {
      const cluster = new PaperCluster('office', ['laptop', 'desk']);
      cluster.policy = policy;
      cluster.furnish();
      const [laptop, desk] = cluster.clients;
      assert.ok(laptop !== undefined && desk !== undefined);
      desk.host.write('a', 'replaced');
      desk.host.save('a', 'lasting');
      cluster.sync(desk, { sent: 1 });
      laptop.host.write('a', 'own');
      cluster.sync(laptop);
      const { tree } = cluster.server;
      assert.deepEqual(laptop.host.tree.describe(), tree.describe());
      assert.equal(tree.get('a').data, 'own');
      for (const client of [desk, laptop]) cluster.sync(client);
      for (const host of cluster.hosts) assert.deepEqual(host.tree.describe(), tree.describe());
      const kept = [...[...tree.walk()].map(([, { data }]) => data), ...cluster.stored];
      assert.ok(kept.includes('own') && kept.includes('lasting'), kept.join());
    });
  }
});
