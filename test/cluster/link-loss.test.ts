import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { until, useCluster } from '../support/cluster.js';

/** Longer than it takes to give up a silent link. */
const DOWN_MS = 8_000;

describe('cluster: the link is lost', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  before(function () {
    if (!cluster.separated) this.skip();
  });

  for (const writing of ['server', 'client'] as const) {
    for (const pulled of ['client', 'server'] as const) {
      // One pull of each end is enough: the four combinations would take as long again.
      if ((writing === 'server') !== (pulled === 'client')) continue;
      it(`catches up with what the ${writing} did while the ${pulled} had no network`, async () => {
        const writer = cluster[writing];
        const reader = cluster.otherThan(writer);
        const name = `by-${writing}`;
        await cluster.on(writer, `mkdir $M/${name}; echo before > $M/${name}/before`);
        await cluster.equalAfter(writer);
        await cluster.setLink(cluster[pulled], 'down');
        const up = sleep(DOWN_MS).then(() => cluster.setLink(cluster[pulled], 'up'));
        await cluster.on(
          writer,
          `cd $M/${name}; for ((i = 0; i < 100; i++)); do echo $i > file$i; sleep 0.02; done
           mv before after; mkdir sub; mv file1* sub; head -c 300000 /dev/urandom > large`,
        );
        assert.equal(await cluster.on(reader, `cat $M/${name}/before`), 'before');
        await until(
          'both notice',
          async () => !(await cluster.isConnected(writer)) && !(await cluster.isConnected(reader)),
        );
        assert.equal(await cluster.on(writer, `cat $M/${name}/after`), 'before');
        await up;
        await cluster.connected();
        await cluster.equalAfter(writer);
        assert.equal(await cluster.on(reader, `ls $M/${name}/sub | wc -l`), '11');
        // And back: the one that was cut off has not lost its way.
        await cluster.on(reader, `echo more >> $M/${name}/after; rm $M/${name}/file2*`);
        await cluster.equalAfter(reader);
      });
    }
  }
});
