import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askStatus } from '../../src/core/lento/service/control-client.js';
import type { FilesetStatus } from '../../src/core/lento/status/fileset-status.js';
import type { Host } from '../../src/core/demo/host.js';
import { IzoError } from '../../src/core/model/errors.js';
import { until, useCluster } from '../support/cluster.js';

const LIMITS = 'history="1M" backlog="1M"';

/** So often a resync is cut off, each time at another moment, before one comes to its end. */
const KILLS = 2;

/** A whole resync takes about as long. */
const RESYNC_MS = 500;

/** Some hundred files and 4 MiB, most changed in each round; and then more log than the server keeps. */
const SERVER_WORK = `
  mkdir -p $M/t; cd $M/t
  for i in {0..299}; do
    ((i % 30 == 0)) && mkdir -p d$((i / 30))
    echo "$ROUND of the server $i" > d$((i / 30))/f$i
  done
  for i in {0..9}; do head -c 400000 /dev/urandom > big$i; done
  mkdir -p from-$ROUND; mv d$((ROUND + 1))/f* from-$ROUND/; rm -rf d9`;

const CHURN = `
  const { symlinkSync, unlinkSync } = require('node:fs');
  for (let i = 0; i < 900; i++) {
    symlinkSync('x'.repeat(4000), process.argv[1]);
    unlinkSync(process.argv[1]);
  }`;

/** What is in nobody's way, and what is in the server's. */
const CLIENT_WORK = `
  cd $M; mkdir mine-$ROUND
  for i in {0..39}; do echo "$ROUND of the client $i" > mine-$ROUND/f$i; done
  head -c 300000 /dev/urandom > mine-$ROUND/big; cp mine-$ROUND/big $W/big-$ROUND
  echo "$ROUND of the client" > t/d0/f1$ROUND; mv t/d0/f2$ROUND mine-$ROUND/moved; rm t/d0/f$((ROUND + 4))`;

describe('cluster: kill -9 in the middle of taking the whole tree', function () {
  this.timeout(90_000);
  const cluster = useCluster();
  let hits = 0;

  before(async () => {
    for (const { configDir, lento } of [cluster.server, cluster.client]) {
      const path = join(configDir, 'fsetdb');
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, text.replace('<fileset ', `<fileset ${LIMITS} `));
      lento?.kill('SIGHUP');
    }
    await cluster.on(cluster.server, SERVER_WORK, { ROUND: '8' });
    await cluster.equalAfter(cluster.server);
  });

  after(() => assert.ok(hits >= KILLS, `only ${hits} of ${4 * KILLS} kills were in the middle`));

  async function statusOf({ runDir, name }: Host): Promise<FilesetStatus> {
    const [fileset] = (await askStatus(runDir, name)).filesets;
    if (fileset === undefined) throw new IzoError('not-mounted', 'there is no fileset');
    return fileset;
  }

  /** Both hosts work while cut off, and the server's log comes to begin behind what the client has got. */
  async function diverge(round: number): Promise<void> {
    const { server, client } = cluster;
    await client.stopLento();
    await until('noticed', async () => !(await cluster.isConnected(server)));
    const end = Number((await statusOf(server)).position?.split('/')[1]);
    const env = { ROUND: `${round}`, CHURN };
    await Promise.all([
      cluster.on(server, `${SERVER_WORK}\nnode -e "$CHURN" $M/churn`, env),
      cluster.on(client, CLIENT_WORK, env),
    ]);
    await until('the log is trimmed', async () => ((await statusOf(server)).log?.first ?? 0) > end);
  }

  async function linkOf(): Promise<string> {
    try {
      return (await statusOf(cluster.client)).link;
    } catch (error) {
      if (error instanceof IzoError) return 'none';
      throw error;
    }
  }

  /** Waits until the client begins. @returns false where it is through already */
  async function takesTheTree(): Promise<boolean> {
    let link = 'none';
    await until('it takes the tree', async () => {
      link = await linkOf();
      return link === 'resync' || link === 'up';
    });
    return link === 'resync';
  }

  let round = 0;
  for (const daemon of ['lento', 'presto'] as const) {
    for (const victim of ['client', 'server'] as const) {
      it(`${daemon} of the ${victim}`, async () => {
        round++;
        await diverge(round);
        await cluster.client.startLento();
        const moments: number[] = [];
        while (moments.length < KILLS && (await takesTheTree())) {
          const moment = Math.round(Math.random() * RESYNC_MS);
          moments.push(moment);
          await sleep(moment);
          if ((await linkOf()) === 'resync') hits++;
          await cluster.killAndRestart(cluster[victim], daemon);
        }
        const killed = `killed after ${moments.join(', ')} ms`;
        await cluster.connected();
        await cluster.equalAfter(cluster.client);
        const { server } = cluster;
        const lost = await cluster.on(
          server,
          `cd $M; cmp mine-$ROUND/big $W/big-$ROUND
           for i in {0..39}; do grep -qx "$ROUND of the client $i" mine-$ROUND/f$i; done
           grep -qx "$ROUND of the client" t/d0/f1$ROUND* || echo lost; test -e mine-$ROUND/moved; test -e t/d0/f29`,
          { ROUND: `${round}` },
        );
        assert.equal(lost, '', killed);
        assert.deepEqual(readdirSync(cluster.stageOf(cluster.client)), [], killed);
      });
    }
  }
});
