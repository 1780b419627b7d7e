import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { until, useCluster } from '../support/cluster.js';

const BIG_BYTES = 30 * 1024 * 1024;

describe('cluster: izo status tells what is on its way', function () {
  this.timeout(30_000);
  const cluster = useCluster('96M');

  for (const side of ['server', 'client'] as const) {
    it(`${side}: contents, as both hosts see them`, async function () {
      if (!cluster.separated) this.skip();
      const from = cluster[side];
      const to = cluster.otherThan(from);
      await cluster.on(from, `mkdir $M/${side}; head -c ${BIG_BYTES} /dev/urandom > $W/big`);
      await cluster.setSlow(from, true);
      const writing = cluster.on(from, `cp $W/big $M/${side}/big`);
      await until(
        'a part has come',
        async () => ((await cluster.peerOf(to)).transfers[0]?.bytes ?? 0) > 0,
      );
      const seen = [await cluster.peerOf(from), await cluster.peerOf(to)];
      await writing;
      for (const [i, { transfers }] of seen.entries()) {
        const [transfer, ...more] = transfers;
        assert.ok(transfer !== undefined && more.length === 0, JSON.stringify(seen));
        const { direction, path, bytes, size, rate } = transfer;
        assert.deepEqual(
          [direction, path, size],
          [i === 0 ? 'to' : 'from', `${side}/big`, BIG_BYTES],
        );
        assert.ok(bytes > 0 && bytes < size && rate > 0, JSON.stringify(transfer));
      }
      await cluster.setSlow(from, false);
      await cluster.equalAfter(from);
      const after = [await cluster.peerOf(from), await cluster.peerOf(to)];
      assert.deepEqual(
        after.flatMap(({ transfers, stuck }) => [...transfers, ...stuck]),
        [],
      );
      await cluster.on(from, `rm -r $M/${side}`);
    });

    it(`${side}: nothing of contents that are removed before they have come`, async function () {
      if (!cluster.separated) this.skip();
      const from = cluster[side];
      const to = cluster.otherThan(from);
      const staged = () => readdirSync(cluster.stageOf(to));
      await cluster.setSlow(from, true);
      await cluster.on(from, `cp $W/big $M/removed`);
      await until('a part is there', () => staged().length > 0);
      await to.stopLento('SIGKILL');
      assert.equal(staged().length, 1, 'it is gone on with, where it is still wanted');
      await cluster.on(from, `rm $M/removed; echo over > $M/over`);
      await cluster.setSlow(from, false);
      await to.startLento();
      await cluster.connected();
      await cluster.equalAfter(from);
      await until('it is gone', () => staged().length === 0);
    });
  }
});
