import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../src/core/demo/host.js';
import { askStatus } from '../../src/core/lento/service/control-client.js';
import { listMounted } from '../../src/core/presto/mounting/mounted-state.js';
import { checkLower } from '../support/check-cache.js';
import { FILESET, until, useCluster } from '../support/cluster.js';

/** What programs do that save the same files again and again, and make and remove what they need for a moment. */
const CHURN = `
  const fs = require('node:fs');
  const [at, times] = process.argv.slice(1);
  fs.mkdirSync(at, { recursive: true });
  for (let i = 0; i < Number(times); i++) {
    fs.writeFileSync(at + '/saved', 'version ' + i);
    fs.writeFileSync(at + '/edited.new', 'version ' + i);
    fs.renameSync(at + '/edited.new', at + '/edited');
    fs.mkdirSync(at + '/tmp');
    fs.writeFileSync(at + '/tmp/a', 'a');
    fs.symlinkSync('a', at + '/tmp/b');
    fs.rmSync(at + '/tmp', { recursive: true });
    fs.utimesSync(at + '/saved', i, i);
    if (i % 10 === 0) fs.writeFileSync(at + '/kept' + i, 'kept ' + i);
  }`;
/** Files for a moment. */
const MAKE = `
  const fs = require('node:fs');
  const [at, times] = process.argv.slice(1);
  fs.mkdirSync(at);
  for (let i = 0; i < Number(times); i++) fs.writeFileSync(at + '/' + i, 'x'.repeat(100));
  for (let i = 0; i < Number(times); i++) fs.unlinkSync(at + '/' + i);`;
/** Records that one time makes. */
const RECORDS = 12;

describe('cluster: what was done while cut off is shortened', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  const churn = (host: Host, name: string, times: number): Promise<string> =>
    cluster.on(host, `node -e "$CHURN" $M/${name} ${times}`, { CHURN });

  async function endOf({ runDir, name }: Host): Promise<number> {
    const [fileset] = (await askStatus(runDir, name)).filesets;
    return Number(fileset?.position?.split('/')[1]);
  }

  /** The tree of a host is what its log makes. */
  function check({ runDir }: Host): void {
    const [state] = listMounted(runDir);
    assert.ok(state !== undefined);
    checkLower(state.lowerPath, FILESET);
  }

  async function cutOff(host: Host, work: () => Promise<unknown>): Promise<void> {
    const other = cluster.otherThan(host);
    await other.stopLento();
    await until('noticed', async () => !(await cluster.isConnected(host)));
    await work();
    await other.startLento();
    await cluster.connected();
  }

  it('a client that comes back sends what is left, and all is as it made it', async () => {
    const { client, server } = cluster;
    const before = await endOf(server);
    const times = 150;
    await cutOff(client, () => churn(client, 'client', times));
    await cluster.equalAfter(client);
    const logged = (await endOf(server)) - before;
    assert.ok(logged < times, `${logged} records of ${times * RECORDS} were logged at the server`);
    check(server);
    check(client);
  });

  it('of a thousand files that were made and removed nothing is sent but the time of their directory', async () => {
    const { client, server } = cluster;
    const before = await endOf(server);
    const wire = cluster.separated ? await cluster.wireBytes() : undefined;
    await cutOff(client, () => cluster.on(client, `node -e "$MAKE" $M/made 1000`, { MAKE }));
    await cluster.equalAfter(client);
    const logged = (await endOf(server)) - before;
    assert.ok(logged <= 4, `${logged} records of 3000 were logged at the server`);
    check(server);
    if (wire === undefined) return;
    const sent = (await cluster.wireBytes()) - wire;
    assert.ok(sent < 100_000, `${sent} bytes were on the wire`);
  });

  it('a client that was away gets what is left of the server’s', async () => {
    const { client, server } = cluster;
    const expects = async (): Promise<number> => {
      const [fileset] = (await askStatus(client.runDir, client.name)).filesets;
      return fileset?.peers[0]?.expected ?? 0;
    };
    await cutOff(server, () => churn(server, 'server', 100));
    await cluster.equalAfter(server);
    assert.equal(await expects(), (await endOf(server)) + 1);
    check(server);
  });

  it('whoever is killed in the middle of that, however often, it goes on where it was', async () => {
    const { client, server } = cluster;
    await cutOff(client, async () => {
      await churn(client, 'killed', 250);
    });
    for (let i = 0; i < 6; i++) {
      const host = i % 2 === 0 ? server : client;
      await sleep(Math.random() * 120);
      await host.stopLento('SIGKILL');
      if (i === 3) await cluster.on(client, 'echo meanwhile > $M/killed/meanwhile');
      await host.startLento();
    }
    await cluster.connected();
    await cluster.equalAfter(client);
    await cluster.equalAfter(server);
    check(server);
  });
});
