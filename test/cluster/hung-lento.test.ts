import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DisconnectedPolicy } from '../../src/core/config/index.js';
import type { Host } from '../../src/core/demo/host.js';
import { FILESET, until, useCluster } from '../support/cluster.js';

const WRITERS = 64;
const UPCALL_MS = 4_000;
/** Programs that only look are not to notice anything. */
const AT_ONCE_MS = 1_000;
/** For so many processes to end on a busy machine, once they may. */
const SLACK_MS = 5_000;

/** Each writes a file of its own; then, how many could. */
const WRITE = `
  for ((i = 0; i < ${WRITERS}; i++)); do
    { echo $i > $M/$NAME/new/file$i && echo done || echo refused; } >> $W/$NAME 2>> $W/$NAME.errors &
  done
  wait`;

describe('cluster: the lento of a host hangs, or dies, while programs wait for the permit', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  before(async () => {
    const { client } = cluster;
    await client.izo(['umountizo', client.mountPoint]);
    await client.mount(FILESET, 'ext3', [`upcall=${UPCALL_MS / 1000}`]);
    await cluster.connected();
  });

  async function setPolicy(policy: DisconnectedPolicy): Promise<void> {
    const { client } = cluster;
    const file = join(client.configDir, 'fsetdb');
    const text = readFileSync(file, 'utf8').replace(/ policy="\w+"/, '');
    writeFileSync(file, text.replace('<fileset ', `<fileset policy="${policy}" `));
    await client.stopLento();
    await client.startLento();
    await cluster.connected();
  }

  function signalLento(signal: NodeJS.Signals): void {
    const pid = cluster.client.lento?.pid;
    assert.ok(pid !== undefined);
    process.kill(pid, signal);
  }

  const presto = (): string =>
    readFileSync(join(cluster.client.runDir, 'intermezzo0', `${FILESET}.log`), 'utf8');

  /** The server has the permit; the client's lento stops; the client's writers wait. */
  async function startWriters(name: string) {
    const { server, client } = cluster;
    await cluster.on(server, `mkdir -p $M/${name}/new; echo before > $M/${name}/before`);
    await cluster.equalAfter(server);
    signalLento('SIGSTOP');
    const started = Date.now();
    const writers = cluster.start(WRITE, { M: client.mountPoint, NAME: name });
    const waiting = `pgrep --count --parent ${writers.pid} || true`;
    await until('all wait', async () => (await cluster.sh(waiting)) === String(WRITERS), UPCALL_MS);
    return { writers, started };
  }

  async function isInStep(host: Host): Promise<boolean> {
    try {
      await cluster.sync(host);
      return true;
    } catch (error) {
      if (/not connected/.test(String(error))) return false;
      throw error;
    }
  }

  /** The numbers of writers that could, and that could not. */
  async function ends(name: string): Promise<[number, number]> {
    const counts = `grep -c done $W/${name}; grep -c refused $W/${name}`;
    const [done, refused] = (await cluster.sh(`set +e; ${counts}; true`)).split('\n').map(Number);
    return [done ?? 0, refused ?? 0];
  }

  /** Not in the directory of the new files: the kernel shuts a directory while a program makes a name in it. */
  async function lookAround(name: string): Promise<void> {
    const before = Date.now();
    const script = `cat $M/${name}/before; stat -c %s $M/${name}/before; ls $M/${name} | wc -l`;
    assert.equal(await cluster.on(cluster.client, script), 'before\n7\n2');
    const took = Date.now() - before;
    assert.ok(took < AT_ONCE_MS, `looking took ${took} ms`);
  }

  it('hung: all else goes on at once, writers when the time is over; then all is replicated', async () => {
    const { client } = cluster;
    try {
      const { writers, started } = await startWriters('hung');
      await lookAround('hung');
      assert.deepEqual(await ends('hung'), [0, 0], 'they did not wait');
      await writers;
      const took = Date.now() - started;
      assert.deepEqual(await ends('hung'), [WRITERS, 0]);
      assert.ok(took >= UPCALL_MS && took < UPCALL_MS + SLACK_MS, `they waited ${took} ms`);
      assert.match(presto(), /no permit in time/);
    } finally {
      signalLento('SIGCONT');
    }
    // Awake again, it counts as connected until it hears that the server has let it go.
    await until('it is in step again', () => isInStep(client));
    await cluster.equalAfter(client);
    assert.equal(
      await cluster.on(cluster.server, 'cat $M/hung/new/file63; ls $M/hung/new | wc -l'),
      '63\n64',
    );
    // And back: neither host has lost its way.
    await cluster.on(cluster.server, 'rm $M/hung/new/file1*; echo more >> $M/hung/before');
    await cluster.equalAfter(cluster.server);
    await cluster.on(client, 'echo more >> $M/hung/before');
    await cluster.equalAfter(client);
  });

  it('hung, and what is cut off is read-only: writers are refused when the time is over', async () => {
    await setPolicy('readonly');
    try {
      const { writers, started } = await startWriters('refused');
      await lookAround('refused');
      await writers;
      const took = Date.now() - started;
      assert.deepEqual(await ends('refused'), [0, WRITERS]);
      assert.ok(took >= UPCALL_MS && took < UPCALL_MS + SLACK_MS, `they waited ${took} ms`);
      const errors = await cluster.sh('grep -c "Read-only file system" $W/refused.errors');
      assert.equal(errors, String(WRITERS));
      await lookAround('refused');
    } finally {
      signalLento('SIGCONT');
    }
    await cluster.connected();
    await cluster.on(cluster.client, 'echo after > $M/refused/after');
    await cluster.equalAfter(cluster.client);
    await setPolicy('write');
  });

  it('killed: writers go on at once, and what they did is replicated when lento is back', async () => {
    const { client } = cluster;
    const { writers } = await startWriters('killed');
    assert.deepEqual(await ends('killed'), [0, 0], 'they did not wait');
    const killed = Date.now();
    await client.stopLento('SIGKILL');
    await writers;
    const took = Date.now() - killed;
    assert.ok(took < AT_ONCE_MS, `they went on after ${took} ms`);
    assert.deepEqual(await ends('killed'), [WRITERS, 0]);
    assert.equal(await cluster.on(client, 'ls $M/killed/new | wc -l'), '64');
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
    assert.equal(await cluster.on(cluster.server, 'ls $M/killed/new | wc -l'), '64');
  });
});
