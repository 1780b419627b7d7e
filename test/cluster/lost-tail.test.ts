import { join } from 'node:path';
import { run } from '../../src/core/system/processes.js';
import { FILESET, until, useCluster } from '../support/cluster.js';

/**
 * The power of a replicator fails: what its disk had not got is gone, though the server has got it. The disk is a copy of
 * the cache's image from before.
 */
describe('cluster: a power cut takes what the server has got already', function () {
  this.timeout(60_000);
  const cluster = useCluster();
  const disk = () => join(cluster.work, 'disk');

  const keepDisk = () => run('cp', ['--sparse=always', cluster.client.image, disk()]);

  /** What the client has done so far is on its disk; what it does from now on is not. */
  async function beginToForget(): Promise<void> {
    await cluster.equalAfter(cluster.client);
    await cluster.on(cluster.client, 'sync $M/changed');
    await keepDisk();
  }

  async function powerCut(): Promise<void> {
    const { client } = cluster;
    await client.stopLento('SIGKILL');
    await client.izo(['umountizo', client.mountPoint]);
    await run('cp', ['--sparse=always', disk(), client.image]);
    await until('noticed', async () => !(await cluster.isConnected(cluster.server)));
  }

  async function restart(): Promise<void> {
    await cluster.client.mount(FILESET);
    await cluster.client.startLento();
  }

  it('and the server gives it back, with what was done there meanwhile', async () => {
    const { server, client } = cluster;
    await cluster.on(client, 'mkdir $M/d; echo one > $M/d/one; echo old > $M/changed');
    await beginToForget();
    await cluster.on(
      client,
      `echo two > $M/d/two; mv $M/d/one $M/first; echo new > $M/changed; chmod 600 $M/changed
       mkdir $M/e; for i in {1..50}; do echo $i > $M/e/$i; done; rm $M/e/7
       head -c 300000 /dev/urandom > $M/e/large`,
    );
    await cluster.equalAfter(client);
    await powerCut();
    await cluster.on(server, 'echo meanwhile > $M/e/meanwhile; rm $M/e/8');
    await restart();
    await cluster.connected();
    await cluster.equalAfter(server);
    await cluster.on(client, 'test "$(cat $M/e/9)" = 9; test "$(cat $M/changed)" = new');
  });

  it('and nothing that is made afterwards is taken for it', async () => {
    const { client } = cluster;
    await cluster.on(client, 'echo after > $M/e/after; echo again > $M/changed; mkdir $M/f');
    await cluster.equalAfter(client);
    await cluster.on(cluster.server, 'echo answer > $M/f/answer');
    await cluster.equalAfter(cluster.server);
  });

  it('but never what the server was told had taken the place of contents that it did not get', async () => {
    const { client } = cluster;
    await cluster.equalAfter(client);
    await cluster.on(client, 'sync $M/changed');
    await client.stopLento();
    await cluster.on(client, 'echo first > $M/twice; echo second > $M/twice');
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
    await keepDisk();
    await powerCut();
    await client.mount(FILESET);
    await cluster.on(client, 'test "$(cat $M/twice)" = second');
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
  });

  it('and never what makes it needless to tell the server of files that were there for a moment', async () => {
    const { client } = cluster;
    await client.stopLento();
    await cluster.on(client, 'mkdir $M/moment && cd $M/moment && seq 100 | xargs touch && sync 1');
    await cluster.on(client, 'rm $M/moment/*');
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
    await keepDisk();
    await powerCut();
    await client.mount(FILESET);
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
  });
});
