import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../src/core/demo/host.js';
import type { LentoStatus } from '../../src/core/lento/status/lento-status.js';
import { izo } from '../commands/run.js';
import { until, useCluster } from '../support/cluster.js';
import { fillUp, makeRoom } from '../support/filler.js';

/** Of two random contents: what is of neither is a mixture of them, or was cut short. */
const IS_WHOLE = 'cmp -s $M/$D/old $W/$D.before/old || cmp $M/$D/old $W/$D.after/old';

/** A holder that cannot be drained is gone as soon as it is known; not when it comes again, which is seconds later. */
const PERMIT_MS = 3_000;

/** In which it is tried again several times. */
const LASTING_MS = 1_500;

/** Updates one file after the other, and prints how many milliseconds the longest update took. */
const REPEAT = `
  const { rmSync, writeFileSync } = require('node:fs');
  const [noise, force] = ['x'.repeat(5000), { force: true }];
  const update = new Function('writeFileSync', 'rmSync', 'path', 'noise', 'force', process.argv[1]);
  let [longest, end] = [0, Date.now() + 5000];
  for (let i = 1; Date.now() < end; i++) {
    const began = performance.now();
    update(writeFileSync, rmSync, process.env.M + '/busy/s' + i, noise, force);
    longest = Math.max(longest, performance.now() - began);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
  }
  console.log(Math.round(longest));`;

describe('cluster: the disk of one host is full', function () {
  this.timeout(60_000);
  const cluster = useCluster('64M');

  /** Records that a host has not brought to the other. */
  async function unsent(host: Host): Promise<number> {
    return (await cluster.peerOf(host)).lag?.records ?? 0;
  }

  /** What does not flow to `host`, or from it, and why, as `izo status` has it. @returns what, and since when */
  async function assertStuckAt(host: Host, direction: string): Promise<string> {
    await until('it is stuck', async () => (await cluster.peerOf(host)).stuck.length > 0);
    const { code, stdout } = await izo(['status', '--json'], { env: host.environment });
    assert.equal(code, 3);
    const [peer] = (JSON.parse(stdout) as LentoStatus).filesets[0]?.peers ?? [];
    const [stuck, ...more] = peer?.stuck ?? [];
    assert.ok(stuck !== undefined && more.length === 0, stdout);
    const { path, operation, errno, since } = stuck;
    assert.deepEqual([stuck.direction, errno], [direction, 'ENOSPC']);
    assert.match(path, /^full-(client|server)\/(old|new\d+)$/);
    assert.match(operation, /^(fetch|close)$/);
    return `${operation} ${path} ${since}`;
  }

  async function assertStuck(full: Host, other: Host): Promise<string[]> {
    return [await assertStuckAt(full, 'from'), await assertStuckAt(other, 'to')];
  }

  /** At first a removed file may give room for one more, when the lower journal has committed its removal. */
  async function untilItLasts(full: Host, other: Host): Promise<void> {
    let since: string[] = [];
    await until('it is the same for a while', async () => {
      const before = since;
      await sleep(LASTING_MS);
      since = await assertStuck(full, other);
      return before.join() === since.join();
    });
  }

  for (const side of ['server', 'client'] as const) {
    it(`${side}: it refuses, tells whole versions only, and catches up when there is room`, async () => {
      const full = cluster[side];
      const other = cluster.otherThan(full);
      const env = { D: `full-${side}` };
      await cluster.on(
        other,
        `mkdir $M/$D; cd $M/$D; for n in old removed renamed; do head -c 200000 /dev/urandom > $n; done
         cp -a . $W/$D.before`,
        env,
      );
      await cluster.equalAfter(other);
      // Somebody else's files, as far as the fileset is concerned.
      const cache = join(cluster.mountedOn(full).lowerPath, '.intermezzo');
      const ends = fillUp(cache);
      assert.ok(ends.length > 0 && ends.every((end) => end === 'ENOSPC'), ends.join(' '));
      await cluster.on(
        other,
        `cd $M/$D; rm removed; mv renamed moved; head -c 300000 /dev/urandom > old
         for n in {1..12}; do head -c 200000 /dev/urandom > new$n; done; cp -a . $W/$D.after`,
        env,
      );
      await until('what is new waits for room', async () => (await unsent(other)) > 0);
      await untilItLasts(full, other);
      await cluster.on(full, IS_WHOLE, env);
      const refused = await cluster.on(
        full,
        'for n in 1 2; do ! head -c 2000000 /dev/zero > $M/$D/refused; done; rm -f $M/$D/refused',
        env,
      );
      assert.match(refused, /No space left on device/);
      await cluster.on(full, IS_WHOLE, env);
      // Whatever room that has given.
      await assertStuckAt(full, 'from');
      makeRoom(cache);
      await until('all has come', async () => (await unsent(other)) === 0, 40_000);
      assert.deepEqual(
        [...(await cluster.peerOf(full)).stuck, ...(await cluster.peerOf(other)).stuck],
        [],
      );
      await cluster.on(full, 'diff -r $W/$D.after $M/$D; echo room > $M/$D/room', env);
      await cluster.equalAfter(full);
      await cluster.on(other, 'rm -r $M/$D', env);
      await cluster.equalAfter(other);
    });
  }

  it('server: its programs get the permit although it cannot take what its holder has made', async () => {
    const { server, client } = cluster;
    await cluster.on(server, 'mkdir $M/busy; for i in {1..200}; do echo $i > $M/busy/s$i; done');
    await cluster.equalAfter(server);
    const cache = join(cluster.mountedOn(server).lowerPath, '.intermezzo');
    fillUp(cache);
    const [, longest] = await Promise.all([
      cluster.on(client, 'node -e "$REPEAT" "writeFileSync(path, noise)"', { REPEAT }),
      cluster.on(server, 'sleep 0.5; node -e "$REPEAT" "rmSync(path, force)"', { REPEAT }),
    ]);
    assert.ok(Number(longest) < PERMIT_MS, `${longest} ms`);
    makeRoom(cache);
    await until('all has come', async () => (await unsent(client)) === 0, 40_000);
    await cluster.equalAfter(client);
  });
});
