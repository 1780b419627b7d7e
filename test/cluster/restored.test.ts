import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../src/core/demo/host.js';
import { FILESET, until, useCluster } from '../support/cluster.js';

const ANY = { okCodes: [0, 1, 2, 3, 4, 5, 6, 7] };

describe('cluster: a cache that is restored from a backup', function () {
  this.timeout(90_000).slow(15_000);
  const cluster = useCluster();

  const backupOf = (host: Host): string => join(host.image, '..', 'backup');

  async function stopped(host: Host, act: () => unknown): Promise<void> {
    await host.stopLento();
    await host.izo(['umountizo', host.mountPoint]);
    await act();
    await host.mount(FILESET);
    await host.startLento();
  }

  it('a client: undoes nothing, says what to do, and is merged again by that', async () => {
    const { server, client } = cluster;
    await cluster.on(client, 'cd $M; echo one > edited; echo one > removed; echo one > same');
    await cluster.equalAfter(client);
    await stopped(client, () => {
      copyFileSync(client.image, backupOf(client));
    });
    await cluster.connected();
    await cluster.on(client, 'cd $M; echo two > edited; rm removed; echo new > new');
    await cluster.equalAfter(client);
    await stopped(client, () => {
      copyFileSync(backupOf(client), client.image);
    });
    await cluster.on(client, 'cd $M; cat edited; echo since > since');
    let said = '';
    await until('it is refused', async () => {
      said = (await client.izo(['status'], ANY)).stdout;
      return /restored from a backup/.test(said);
    });
    assert.match(said, new RegExp(`izo recovery ${FILESET} --reset`));
    assert.equal(await cluster.on(server, 'cd $M; cat edited; ls'), 'two\nedited\nnew\nsame');

    await stopped(client, () => client.izo(['recovery', client.image, '--reset', '--do']));
    await cluster.connected();
    await cluster.equalAfter(client);
    const all = await cluster.on(
      server,
      'cd $M; cat edited since new same; cat edited.conflict-*; ls',
    );
    assert.match(
      all,
      /^two\nsince\nnew\none\none\n/,
      'what is newer stands, what is old is beside it',
    );
    assert.match(all, /removed/, 'nobody can tell that it was removed after the backup');
  });

  it('a server: its clients keep what it has lost, and bring it back', async () => {
    const { server, client } = cluster;
    await stopped(server, () => {
      copyFileSync(server.image, backupOf(server));
    });
    await cluster.connected();
    await cluster.on(server, 'cd $M; echo three > edited; echo lost > lost');
    await cluster.equalAfter(server);
    await stopped(server, () => {
      copyFileSync(backupOf(server), server.image);
    });
    let said = '';
    await until('it is noticed', async () => {
      said = (await client.izo(['status'], ANY)).stdout;
      return /restored from a backup/.test(said);
    });
    assert.match(said, new RegExp(`izo recovery ${FILESET} --reset`));
    assert.equal(await cluster.on(client, 'cd $M; cat edited lost'), 'three\nlost');

    await stopped(server, () => server.izo(['recovery', server.image, '--reset', '--do']));
    await stopped(client, () => client.izo(['recovery', client.image, '--reset', '--do']));
    await cluster.connected();
    await cluster.equalAfter(client);
    const all = await cluster.on(server, 'cd $M; cat lost edited edited.conflict-*');
    assert.match(all, /^lost\n/);
    assert.match(all, /three/);
  });
});
