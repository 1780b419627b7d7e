import assert from 'node:assert/strict';
import type { Host } from '../../src/core/demo/host.js';
import { FILESET, until, useCluster } from '../support/cluster.js';

describe('cluster: mounts and lentos come and go', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  const SIDES = ['server', 'client'] as const;

  /** Lets both write, one after the other, and compares. */
  async function bothWork(label: string): Promise<void> {
    await cluster.connected();
    for (const host of [cluster.server, cluster.client]) {
      await cluster.on(host, `mkdir $M/${label}-${host.name}; echo x > $M/${label}-${host.name}/f`);
      await cluster.equalAfter(host);
    }
  }

  for (const side of SIDES) {
    it(`${side}: izo umountizo and mount while lento runs`, async () => {
      const host = cluster[side];
      const other = cluster.otherThan(host);
      // Unmounted at once: what was just written is not sent yet.
      await cluster.on(
        host,
        `mkdir $M/u-${side}; for i in {1..200}; do echo $i > $M/u-${side}/$i; done`,
      );
      await host.izo(['umountizo', host.mountPoint]);
      assert.equal(await cluster.on(host, 'ls -A $M'), '');
      await cluster.on(other, `echo meanwhile > $M/meanwhile-${side}`);
      await host.mount(FILESET);
      await cluster.connected();
      await cluster.equalAfter(other);
      await bothWork(`umountizo-${side}`);
    });

    it(`${side}: umount(8) ends it, mounting again at once works`, async () => {
      const host = cluster[side];
      await cluster.on(host, `echo x > $M/umount-${side}; umount $M`);
      await host.mount(FILESET);
      await bothWork(`umount-${side}`);
    });

    it(`${side}: umount(8) of a mount in use fails, and nothing happens`, async () => {
      const host = cluster[side];
      await assert.rejects(cluster.on(host, 'exec 3> $M/open; umount $M'), /busy/);
      await bothWork(`busy-${side}`);
    });

    it(`${side}: lento ends and starts again while mounted`, async () => {
      const host = cluster[side];
      await host.stopLento();
      await cluster.on(host, `mkdir $M/alone-${side}; echo x > $M/alone-${side}/f`);
      await host.startLento();
      await bothWork(`lento-${side}`);
    });
  }

  const failed = (code: number, reason: RegExp) => (error: Error) => {
    assert.match(error.message, new RegExp(`failed with ${code}:`));
    assert.match(error.message, reason);
    return true;
  };

  async function syncFails(host: Host, code: number, reason: RegExp): Promise<void> {
    const begin = performance.now();
    await assert.rejects(host.izo(['sync', '--timeout', '2']), failed(code, reason));
    const took = performance.now() - begin;
    assert.ok(took < 5_000, `it took ${took} ms`);
  }

  it('izo sync fails with the reason where the server is not reached', async () => {
    await cluster.server.stopLento();
    await until('noticed', async () => !(await cluster.isConnected(cluster.client)));
    await syncFails(cluster.client, 1, /not connected to muskox/);
    await syncFails(cluster.server, 4, /lento of muskox is not running/);
    await cluster.server.startLento();
    await bothWork('sync-server');
  });

  it('izo sync names the replicators that the server does not reach', async () => {
    await cluster.client.stopLento();
    await until('noticed', async () => !(await cluster.isConnected(cluster.server)));
    const { code, stdout } = await cluster.server.izo(['sync', '--timeout', '2'], { okCodes: [3] });
    assert.equal(code, 3);
    assert.match(stdout, /nobody else has record \d+; not connected: clientA/);
    await cluster.server.izo(['sync', '--timeout', '2', '--connected']);
    await cluster.client.startLento();
    await bothWork('sync-client');
  });

  it('izo sync ends with its time where the network has just gone', async function () {
    if (!cluster.separated) this.skip();
    for (const host of [cluster.server, cluster.client]) {
      await cluster.on(host, 'echo mine > $M/mine');
      await cluster.equalAfter(host);
      await cluster.setLink(host, 'down');
      await cluster.on(host, 'echo more > $M/mine');
      await syncFails(host, 7, /had not finished sync in time/);
      await cluster.setLink(host, 'up');
      await cluster.connected();
      await cluster.equalAfter(host);
    }
  });
});
