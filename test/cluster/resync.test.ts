import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../src/core/demo/host.js';
import { askStatus } from '../../src/core/lento/service/control-client.js';
import type { FilesetStatus } from '../../src/core/lento/status/fileset-status.js';
import { listMounted } from '../../src/core/presto/mounting/mounted-state.js';
import { FILESET, until, useCluster } from '../support/cluster.js';

const LIMITS = 'history="1M" backlog="1M"';

/** Links with long targets, made and removed: each pair takes 4.4 KB of log and none of the tree. */
const CHURN = `
  const { symlinkSync, unlinkSync } = require('node:fs');
  for (let i = 0; i < 900; i++) {
    symlinkSync('x'.repeat(4000), process.argv[1]);
    unlinkSync(process.argv[1]);
  }`;

const TREE = `
  mkdir -p d/e/f empty moved; echo one > d/1; echo two > d/e/2; ln d/1 d/e/hard; ln -s 1 d/link; mkfifo d/pipe
  head -c 3000000 /dev/urandom > d/big; truncate -s 10M d/sparse; echo end >> d/sparse; echo m > moved/m
  setfattr -n user.colour -v blue d/1; setfattr -n user.gone -v x d/1; setfacl -m u:1234:rwx -d -m u:1234:rx d/e`;

describe('cluster: a replicator that the log of its server does not reach', function () {
  this.timeout(90_000);
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

  /** Makes the server's log begin behind what the client, whose lento is stopped, has got. */
  async function trimPast(client: Host): Promise<void> {
    const { server } = cluster;
    assert.equal(client.lento, undefined);
    const { log } = await statusOf(server);
    const end = Number((await statusOf(server)).position?.split('/')[1]);
    await cluster.on(server, 'node -e "$CHURN" $M/churn', { CHURN });
    assert.ok(log !== undefined);
    await until('the log is trimmed', async () => ((await statusOf(server)).log?.first ?? 0) > end);
  }

  const lowerOf = ({ runDir }: Host): string => listMounted(runDir)[0]?.lowerPath ?? '';
  const logOf = ({ logPath }: Host): string => readFileSync(logPath, 'utf8');

  it('takes the tree, with all that changed, and brings what it had not sent', async () => {
    const { server, client } = cluster;
    await cluster.on(server, `cd $M; ${TREE}`);
    await cluster.on(client, 'echo both > $M/both; echo a > $M/edited; echo b > $M/removed');
    await cluster.equalAfter(client);
    await cluster.equalAfter(server);
    await client.stopLento();
    await until('noticed', async () => !(await cluster.isConnected(server)));
    await cluster.on(
      server,
      `cd $M; mv moved d/e/f/moved; echo three > d/e/3; rm d/pipe; rmdir empty; chmod 640 d/1; echo more >> d/e/2
       setfattr -x user.gone d/1; setfattr -n user.colour -v red d/1; echo server > both; rm edited; ln d/e/hard hard2
       mkdir -p n/m; cp d/big n/big; touch -d 2001-01-01 n/m; mv d/e/2 x; mv d/link d/e/2; mv x d/link; chown 5:6 d/sparse`,
    );
    await trimPast(client);
    await cluster.on(
      client,
      'cd $M; echo client > both; echo edited > edited; echo new > d/new; rm removed; mkdir made; mv d/sparse made/',
    );
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
    assert.match(logOf(client), /its whole tree is taken/);
    const text = await cluster.on(
      server,
      'cd $M; cat both both.conflict-* edited d/new | sort; ls made',
    );
    assert.equal(text, 'client\nedited\nnew\nserver\nsparse');
    await cluster.on(server, 'cd $M; rm -r made; echo again > d/again');
    await cluster.equalAfter(server);
    assert.deepEqual(readdirSync(join(lowerOf(client), '.intermezzo', FILESET, 'stage')), []);
  });

  it('with a cache that was made anew gets everything', async () => {
    const { server, client } = cluster;
    await client.stopLento();
    await client.izo(['umountizo', client.mountPoint]);
    await trimPast(client);
    await client.izo(['mkizofs', '--force', '-v', FILESET, client.image]);
    await client.mount(FILESET);
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(server);
    await cluster.on(client, 'echo mine > $M/mine');
    await cluster.equalAfter(client);
  });
});
