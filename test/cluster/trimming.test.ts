import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../src/core/demo/host.js';
import { askStatus } from '../../src/core/lento/service/control-client.js';
import type { FilesetStatus, LogStatus } from '../../src/core/lento/status/fileset-status.js';
import { listMounted } from '../../src/core/presto/mounting/mounted-state.js';
import { FILESET, until, useCluster } from '../support/cluster.js';

const MIB = 2 ** 20;
const LIMITS = 'history="1M" backlog="3M"';

/** Links with long targets, made and removed: each pair takes 4.4 KB of log and none of the tree. */
const CHURN = `
  const { symlinkSync, unlinkSync } = require('node:fs');
  const [path, count] = process.argv.slice(1);
  for (let i = 0; i < Number(count); i++) {
    symlinkSync('x'.repeat(4000), path);
    unlinkSync(path);
  }`;

describe('cluster: logs are trimmed', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  before(() => {
    for (const { configDir, lento } of [cluster.server, cluster.client]) {
      const path = join(configDir, 'fsetdb');
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, text.replace('<fileset ', `<fileset ${LIMITS} `));
      lento?.kill('SIGHUP');
    }
  });

  async function statusOf({ runDir, name }: Host): Promise<FilesetStatus> {
    const [fileset] = (await askStatus(runDir, name)).filesets;
    assert.ok(fileset !== undefined);
    return fileset;
  }

  async function logOf(host: Host): Promise<LogStatus> {
    const { log } = await statusOf(host);
    assert.ok(log !== undefined);
    return log;
  }

  /** Megabytes that the log takes of the disk. */
  function takes({ runDir }: Host): number {
    const [state] = listMounted(runDir);
    assert.ok(state !== undefined);
    const kml = join(state.lowerPath, '.intermezzo', FILESET, 'kml');
    return (statSync(kml).blocks * 512) / MIB;
  }

  const churn = (host: Host, megabytes: number): Promise<string> =>
    cluster.on(host, `node -e "$CHURN" $M/churn ${Math.ceil((megabytes * MIB) / 4400)}`, { CHURN });

  const trimmed = (host: Host, least: number): Promise<void> =>
    until(`the log of ${host.name} is trimmed`, async () => {
      const { bytes, first } = await logOf(host);
      return first > least && bytes < 1.6 * MIB;
    });

  for (const side of ['server', 'client'] as const) {
    it(`${side}: what the other has goes, but for a history, and the disk gets its room back`, async () => {
      const host = cluster[side];
      await cluster.on(host, `echo before > $M/${side}`);
      await churn(host, 5);
      await cluster.equalAfter(host);
      for (const each of [cluster.server, cluster.client]) {
        if (each === host || side === 'client') await trimmed(each, 100);
      }
      assert.ok(takes(host) < 2.5, `${takes(host)} MiB`);
      await cluster.on(host, `echo after > $M/${side}`);
      await cluster.equalAfter(host);
    });
  }

  it('a trimmed log is mounted again, read by lentos that are new, and written on', async () => {
    const before = await logOf(cluster.client);
    for (const host of [cluster.server, cluster.client]) {
      await host.stopLento('SIGKILL');
      await host.izo(['umountizo', host.mountPoint]);
      await host.mount(FILESET);
      await host.startLento();
    }
    await cluster.connected();
    assert.equal((await logOf(cluster.client)).first, before.first);
    for (const host of [cluster.server, cluster.client]) {
      await cluster.on(host, 'echo again >> $M/again');
      await cluster.equalAfter(host);
    }
  });

  it('a client that is cut off keeps all that the server lacks, and says that it is much', async () => {
    const { client, server } = cluster;
    await cluster.equalAfter(client);
    await server.stopLento();
    await until('noticed', async () => !(await cluster.isConnected(client)));
    // What the server has may still be trimmed.
    const first = Number((await statusOf(client)).position?.split('/')[1]) + 1;
    await churn(client, 4);
    await cluster.on(client, 'echo unsent > $M/unsent');
    const { stdout } = await client.izo(['status'], { okCodes: [0, 1, 2, 3, 4, 5, 6, 7] });
    assert.match(stdout, /BACKLOG +more than the backlog of 3M: all of it is kept/);
    assert.ok(first > 1);
    const kept = await logOf(client);
    assert.ok(kept.first <= first, `it begins with ${kept.first}, and the server expects ${first}`);
    await server.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
    await trimmed(client, first);
  });

  it('a replicator that lags by more than the backlog is given up, and the server says so', async () => {
    const { client, server } = cluster;
    await client.stopLento();
    await until('noticed', async () => !(await cluster.isConnected(server)));
    await churn(server, 2);
    const { first } = await logOf(server);
    await churn(server, 5);
    // A piece at a time.
    const isCapped = (log: Awaited<ReturnType<typeof logOf>>): boolean =>
      log.first > first + 100 && log.bytes < 4 * MIB;
    await until('the log is capped', async () => isCapped(await logOf(server)));
    const { bytes, givenUp } = await logOf(server);
    assert.ok(bytes > 2.4 * MIB, `${bytes} bytes`);
    assert.deepEqual(givenUp, [client.name]);
    const { peers } = await statusOf(server);
    assert.match(peers[0]?.error ?? '', /given up.*takes the whole tree/);
    assert.equal(await cluster.on(client, 'cat $M/unsent'), 'unsent');
  });

  it('who is no replicator any more holds no log back', async () => {
    const { server } = cluster;
    const { first } = await logOf(server);
    const path = join(server.configDir, 'fsetdb');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/<replicator>.*<\/replicator>/, ''));
    server.lento?.kill('SIGHUP');
    await trimmed(server, first);
  });
});
