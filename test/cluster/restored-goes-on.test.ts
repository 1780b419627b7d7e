import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../src/core/demo/host.js';
import { askStatus } from '../../src/core/lento/service/control-client.js';
import { isRunning, run } from '../../src/core/system/processes.js';
import { FILESET, until, useCluster } from '../support/cluster.js';

const ANY = { okCodes: [0, 1, 2, 3, 4, 5, 6, 7] };

/** Links with long targets, made and removed: more than the log is allowed to keep. */
const CHURN = `
  const { symlinkSync, unlinkSync } = require('node:fs');
  for (let i = 0; i < 900; i++) {
    symlinkSync('x'.repeat(4000), process.argv[1]);
    unlinkSync(process.argv[1]);
  }`;

/**
 * A cache that was put back from a backup, and has gone on: numbers of its records stand for other updates than those that
 * its peer has got, and the records from which that could be told are gone.
 */
describe('cluster: a cache that goes on after it was restored', function () {
  this.timeout(90_000).slow(15_000);
  const cluster = useCluster();

  const backupOf = (host: Host): string => join(host.image, '..', 'backup');
  const copy = (from: string, to: string) => run('cp', ['--sparse=always', from, to]);

  async function unmounted(host: Host, act: () => Promise<unknown>): Promise<void> {
    await host.stopLento();
    await host.izo(['umountizo', host.mountPoint]);
    await act();
    await host.mount(FILESET);
  }

  const backup = (host: Host) => unmounted(host, () => copy(host.image, backupOf(host)));
  const restore = (host: Host) => unmounted(host, () => copy(backupOf(host), host.image));
  const reset = (host: Host) =>
    unmounted(host, () => host.izo(['recovery', host.image, '--reset', '--do']));

  const refused = (host: Host, reason: RegExp): Promise<void> =>
    until(`refused: ${String(reason)}`, async () =>
      reason.test((await host.izo(['status'], ANY)).stdout),
    );

  async function firstOf({ runDir, name }: Host): Promise<number> {
    const [fileset] = (await askStatus(runDir, name)).filesets;
    return fileset?.log?.first ?? 0;
  }

  it('a server, whose log was trimmed since: removes nothing from who has what it has lost', async () => {
    const { server, client } = cluster;
    const path = join(server.configDir, 'fsetdb');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('<fileset ', '<fileset history="1M" backlog="1M" '));
    await cluster.on(server, 'cd $M; echo one > edited; echo one > same');
    await cluster.equalAfter(server);
    await backup(server);
    await server.startLento();
    await cluster.connected();
    await cluster.on(server, 'cd $M; echo two > edited; echo lost > lost');
    await cluster.on(client, 'cd $M; echo mine > mine');
    await cluster.equalAfter(client);
    await client.stopLento();
    await restore(server);
    await server.startLento();
    await cluster.on(
      server,
      'cd $M; echo other > other; echo else > edited; node -e "$CHURN" churn',
      {
        CHURN,
      },
    );
    await until('the log is trimmed', async () => (await firstOf(server)) > 100);

    await client.startLento();
    await refused(client, /nobody can tell whether it has seen the same history/);
    await refused(server, /nobody can tell whether it has seen the same history/);
    assert.equal(await cluster.on(client, 'cd $M; cat edited lost mine'), 'two\nlost\nmine');

    // Were only the server begun anew, its clients would take another log for the one that they know.
    await reset(server);
    await server.startLento();
    await refused(client, /another log than the one that this replica has followed/);
    await reset(client);
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
    const all = await cluster.on(
      server,
      'cd $M; cat same lost mine other edited edited.conflict-*',
    );
    assert.equal(all, 'one\nlost\nmine\nother\nelse\ntwo');
  });

  it('a client, which crashes then: its server does not take the lost for what the crash has lost', async () => {
    const { server, client } = cluster;
    await backup(client);
    await client.startLento();
    await cluster.connected();
    await cluster.on(client, 'cd $M; for i in {1..20}; do echo two > two$i; done');
    await cluster.equalAfter(client);
    await restore(client);
    await cluster.on(client, 'cd $M; echo since > since; sync since');
    const pid = cluster.prestoOf(client);
    process.kill(pid, 'SIGKILL');
    await until('presto is gone', () => !isRunning(pid));
    await client.mount(FILESET);
    await client.startLento();
    await refused(client, /the server knows another history of this replica/);
    assert.match(await cluster.on(client, 'cd $M; cat since; ls'), /^since\n/);
    await reset(client);
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
    assert.equal(await cluster.on(server, 'cd $M; cat since two20'), 'since\ntwo');
  });
});
