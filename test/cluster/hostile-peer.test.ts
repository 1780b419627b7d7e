import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_PORT } from '../../src/core/config/serverdb.js';
import { FILESET, useCluster } from '../support/cluster.js';

const PROGRAM = fileURLToPath(new URL('../support/hostile-peer.ts', import.meta.url));
/** What the server's lento may have grown by, after all of it. */
const GROWTH_KIB = 80 * 1024;

/** Outcomes that mean that an attack got what it wanted. */
const SUCCESS = new Set(['accepted', 'kept open']);

describe('cluster: a replicator that means ill', function () {
  this.timeout(120_000);
  const cluster = useCluster();
  let outcomes: Record<string, string> = {};

  const lentoOf = (host: typeof cluster.server): number => host.lento?.pid ?? -1;
  const residentKib = (pid: number): number => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  };

  before(async function () {
    this.timeout(120_000);
    const { server } = cluster;
    await server.izo(['invite', 'mallory']);
    await server.stopLento();
    await server.startLento();
    await cluster.connected();
    await cluster.on(server, 'echo before > $M/before');
    await cluster.equalAfter(server);
    const key = readFileSync(join(server.configDir, 'keys', `mallory@${server.name}`), 'utf8');
    const target = {
      ...{ address: server.address, port: DEFAULT_PORT, key: key.trim(), fileset: FILESET },
      identity: { client: 'mallory', server: server.name },
    };
    const resident = residentKib(lentoOf(server));
    outcomes = JSON.parse(
      await cluster.inNetworkOf(cluster.client, ['--import', 'tsx', PROGRAM], {
        HOSTILE: JSON.stringify(target),
      }),
    ) as Record<string, string>;
    const growth = residentKib(lentoOf(server)) - resident;
    assert.ok(growth < GROWTH_KIB, `lento has grown by ${growth} KiB`);
  });

  it('gets none of what it wants', () => {
    assert.ok(Object.keys(outcomes).length > 20, JSON.stringify(outcomes));
    const succeeded = Object.entries(outcomes).filter(([, outcome]) => SUCCESS.has(outcome));
    assert.deepEqual(succeeded, []);
    // What was to be tried was tried: the peer had got as far as that.
    const stopped = Object.values(outcomes).filter((each) => /PERMIT|POSITION|IzoError/.test(each));
    assert.equal(stopped.length, 1, `more than the wrong key: ${JSON.stringify(outcomes)}`);
  });

  it('keeps nobody else from being served', () => {
    assert.equal(outcomes['half-open connections by the hundred'], 'answered');
    assert.equal(outcomes['nonsense'], 'done');
  });

  it('touches nothing outside of the fileset', async () => {
    assert.equal(existsSync('/tmp/izo-escaped'), false);
    assert.equal(existsSync('/etc/evil'), false);
    for (const host of [cluster.server, cluster.client]) {
      const home = join(host.mountPoint, '..');
      const strange = readdirSync(home, { recursive: false }).filter((name) =>
        String(name).includes('evil'),
      );
      assert.deepEqual(strange, []);
      const names = (await cluster.on(host, 'ls -A $M')).split('\n');
      const known = ['before', 'evil-fetch', 'evil-link', 'evil-size'];
      assert.deepEqual(
        names.filter((name) => !known.includes(name)),
        [],
      );
    }
  });

  it('leaves both daemons running, and honest hosts in step', async () => {
    for (const host of [cluster.server, cluster.client]) {
      assert.equal(host.lento?.exitCode, null, `lento of ${host.name} has ended`);
      await cluster.connected();
      await cluster.on(host, `echo ${host.name} > $M/after-${host.name}`);
      await cluster.equalAfter(host);
    }
  });
});
