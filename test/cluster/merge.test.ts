import assert from 'node:assert/strict';
import { until, useCluster } from '../support/cluster.js';

describe('cluster: both sides are changed while the link is down', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  before(function () {
    if (!cluster.separated) this.skip();
  });

  /** Cuts the client off, lets both work, and waits until they are equal again. */
  async function meanwhile(client: string, server: string): Promise<void> {
    await cluster.setLink(cluster.client, 'down');
    await until(
      'both notice',
      async () =>
        !(await cluster.isConnected(cluster.client)) &&
        !(await cluster.isConnected(cluster.server)),
    );
    await cluster.on(cluster.client, client);
    await cluster.on(cluster.server, server);
    await cluster.setLink(cluster.client, 'up');
    await cluster.connected();
    await cluster.on(cluster.client, 'echo $RANDOM > $M/.last');
    await cluster.equalAfter(cluster.client);
  }

  const onBoth = async (script: string): Promise<string> => {
    const answer = await cluster.on(cluster.client, script);
    assert.equal(await cluster.on(cluster.server, script), answer);
    return answer;
  };

  it('merges what does not collide, and keeps both versions of what does', async () => {
    await cluster.on(
      cluster.server,
      `mkdir -p $M/m/dir; cd $M/m; echo base > file; echo base > kept; echo base > moved
       echo base > gone; echo base > dir/in; echo base > chmod; echo base > both-gone`,
    );
    await cluster.equalAfter(cluster.server);
    await meanwhile(
      `cd $M/m; echo client > file; echo c > only-client; mv moved dir/moved; rm gone both-gone
       echo client > kept; chmod 600 chmod; mkdir same; echo c > same/client; echo equal > equal`,
      `cd $M/m; echo server > file; echo s > only-server; mv dir folder; echo server > gone
       rm kept both-gone; echo server > chmod; mkdir same; echo s > same/server; echo equal > equal`,
    );
    assert.equal(await onBoth('cat $M/m/file'), 'server');
    assert.equal(await onBoth('cat $M/m/file.conflict-*'), 'client');
    assert.equal(await onBoth('cat $M/m/kept'), 'client');
    assert.equal(await onBoth('cat $M/m/gone'), 'server');
    assert.equal(await onBoth('cat $M/m/folder/moved $M/m/folder/in'), 'base\nbase');
    assert.equal(await onBoth('cat $M/m/chmod; stat -c %a $M/m/chmod'), 'server\n600');
    assert.equal(await onBoth('cd $M/m; ls same; ls | wc -l'), 'client\nserver\n10');
  });

  it('keeps both versions of several files that both have written, and nothing else was done', async () => {
    const { server, client } = cluster;
    const write = (text: string) => `cd $M/several; for i in {1..5}; do echo ${text} > $i; done`;
    await cluster.on(server, `mkdir $M/several; ${write('base')}`);
    await cluster.equalAfter(server);
    await client.stopLento();
    await cluster.on(server, write('server'));
    await cluster.on(client, write('client'));
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfterBoth();
    const texts = (word: string): string => `${word}\n`.repeat(5).trim();
    assert.equal(await onBoth('cat $M/several/?'), texts('server'));
    assert.equal(await onBoth('cat $M/several/?.conflict-*'), texts('client'));
  });
});
