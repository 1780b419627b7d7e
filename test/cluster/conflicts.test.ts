import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../src/core/demo/host.js';
import { until, useCluster } from '../support/cluster.js';
import { assertPrinted } from '../support/schemas.js';

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly collision: string;
  readonly path: string;
  readonly beside: string | null;
  readonly stored: boolean;
  readonly winner: string;
}

/** Codes that tell of conflicts, and of some that could not be resolved. */
const OK_CODES = [3, 6];

describe('cluster: conflicts', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  before(function () {
    if (!cluster.separated) this.skip();
  });

  /** Both write `file` and give `name` to a file of theirs while cut off. @returns the new conflicts. */
  async function collide(directory: string): Promise<Listed[]> {
    const { client, server } = cluster;
    const known = new Set((await conflicts(client)).map(({ id }) => id));
    await cluster.on(server, `mkdir $M/${directory}; cd $M/${directory}; echo base > file`);
    await cluster.equalAfter(server);
    await cluster.setLink(client, 'down');
    const both = [client, server];
    await until('both notice', async () => {
      const up = await Promise.all(both.map((host) => cluster.isConnected(host)));
      return !up.includes(true);
    });
    for (const host of both) {
      const who = host === client ? 'client' : 'server';
      await cluster.on(host, `cd $M/${directory}; echo ${who} > file; echo ${who} > name`);
    }
    await cluster.setLink(client, 'up');
    await cluster.connected();
    await cluster.on(client, 'echo $RANDOM > $M/.last');
    await cluster.equalAfter(client);
    return (await conflicts(client)).filter(({ id }) => !known.has(id));
  }

  async function conflicts(host: Host): Promise<Listed[]> {
    const all = ['conflicts', 'list', '--all', '--json'];
    const { stdout } = await host.izo(all, { okCodes: OK_CODES });
    assertPrinted(all, stdout);
    return (JSON.parse(stdout) as { conflicts: Listed[] }).conflicts;
  }

  /** By another policy: it is the client's that counts. */
  async function usePolicy(policy: string): Promise<void> {
    const { client } = cluster;
    const path = join(client.configDir, 'fsetdb');
    const text = readFileSync(path, 'utf8').replace(/ conflicts="[^"]*"/, '');
    writeFileSync(path, text.replace(/<fileset /, `<fileset conflicts="${policy}" `));
    await client.stopLento();
    await client.startLento();
    await cluster.connected();
  }

  const onBoth = async (script: string): Promise<string> => {
    const answer = await cluster.on(cluster.client, script);
    assert.equal(await cluster.on(cluster.server, script), answer);
    return answer;
  };

  const byCollision = (found: readonly Listed[], collision: string): Listed => {
    const conflict = found.find((each) => each.collision === collision);
    assert.ok(conflict !== undefined, `${collision} in ${JSON.stringify(found)}`);
    return conflict;
  };

  it('are listed with both versions, resolved on all hosts, and brought back', async () => {
    const { client } = cluster;
    const found = await collide('a');
    assert.deepEqual(found.map(({ path }) => path).sort(), ['a/file', 'a/name']);
    assert.ok(found.every(({ winner, state }) => winner === 'server' && state === 'unresolved'));
    const status = await client.izo(['status', '--json'], { okCodes: OK_CODES });
    assert.equal(status.code, 3);
    assertPrinted(['status', '--json'], status.stdout);
    assert.match(status.stdout, /"conflicts": 2/);
    const show = ['conflicts', 'show', found[0]?.id ?? '', '--json'];
    assertPrinted(show, (await client.izo(show)).stdout);

    const { id } = byCollision(found, 'contents');
    const resolve = (...args: string[]) =>
      client.izo(['conflicts', 'resolve', ...args], { okCodes: OK_CODES });
    await resolve(id, '--keep', 'client', '--dry-run');
    assert.equal(await onBoth('cat $M/a/file'), 'server');
    await resolve(id, '--keep', 'client');
    await cluster.equalAfter(client);
    assert.equal(await onBoth('cat $M/a/file; ls $M/a/file.*  2>/dev/null || true'), 'client');
    await client.izo(['conflicts', 'undo', id]);
    await cluster.equalAfter(client);
    assert.equal(await onBoth('cat $M/a/file $M/a/file.conflict-*'), 'server\nclient');

    await resolve('--all', '--keep', 'server');
    await cluster.equalAfter(client);
    assert.equal(await onBoth('cat $M/a/*; ls $M/a'), 'server\nserver\nfile\nname');
    assert.equal((await client.izo(['conflicts', 'list'])).stdout.trim(), 'no conflicts');
    await cluster.on(client, 'echo later > $M/a/file');
    const refused = await client.izo(['conflicts', 'undo', id], { okCodes: OK_CODES });
    assert.equal(refused.code, 6);
    assert.match(refused.stderr, /changed since/);
  });

  it('keep the version that lost in the store where the policy is client', async () => {
    await usePolicy('client');
    const found = await collide('b');
    assert.equal(await onBoth('cat $M/b/*; ls $M/b'), 'client\nclient\nfile\nname');
    for (const collision of ['contents', 'name']) {
      const { id, stored, state, winner } = byCollision(found, collision);
      assert.deepEqual(
        { stored, state, winner },
        { stored: true, state: 'settled', winner: 'client' },
      );
      await cluster.client.izo(['conflicts', 'resolve', id, '--keep', 'server']);
    }
    await cluster.equalAfter(cluster.client);
    assert.equal(await onBoth('cat $M/b/*; ls $M/b'), 'server\nserver\nfile\nname');
  });

  it('wait for a decision where the policy is manual', async () => {
    await usePolicy('manual');
    const found = await collide('c');
    assert.equal(await onBoth('cat $M/c/*; ls $M/c'), 'server\nserver\nfile\nname');
    assert.ok(found.every(({ state, stored }) => state === 'unresolved' && stored));
    for (const { id } of found) {
      await cluster.client.izo(['conflicts', 'resolve', id, '--keep', 'client'], {
        okCodes: OK_CODES,
      });
    }
    await cluster.equalAfter(cluster.client);
    assert.equal(await onBoth('cat $M/c/*; ls $M/c'), 'client\nclient\nfile\nname');
  });
});
