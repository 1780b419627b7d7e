import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../src/core/demo/host.js';
import { until, useCluster } from '../support/cluster.js';
import { NotifySocket } from '../support/notify-socket.js';

describe('cluster: lento as a service', function () {
  this.timeout(60_000);
  const cluster = useCluster();

  const log = (host: Host) => readFileSync(host.logPath, 'utf8');

  /** Changes a file of a host's configuration, has lento read it, and waits for what it says to that. */
  async function reload(
    host: Host,
    file: string,
    change: (text: string) => string,
  ): Promise<string> {
    const path = join(host.configDir, file);
    const before = log(host).length;
    writeFileSync(path, change(readFileSync(path, 'utf8')));
    host.lento?.kill('SIGHUP');
    const said = () => log(host).slice(before);
    await until('lento has read it', () => /configuration[: ].*\n/.test(said()));
    return said();
  }

  async function writtenOn(host: Host, name: string): Promise<void> {
    await cluster.connected();
    await cluster.on(host, `echo x > $M/${name}`);
    await cluster.equalAfter(host);
  }

  it('tells systemd when it serves what is mounted, how it is, and that it lives', async () => {
    const { server } = cluster;
    await server.stopLento();
    const socket = new NotifySocket(join(cluster.work, 'notify'));
    Object.assign(process.env, { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '100000' });
    try {
      await server.startLento();
    } finally {
      delete process.env['NOTIFY_SOCKET'];
      delete process.env['WATCHDOG_USEC'];
    }
    try {
      assert.match(socket.told[0] ?? '', /^READY=1\nSTATUS=shared: served, \d of 1 replicators/);
      const tells = (text: string) => socket.told.some((each) => each.includes(text));
      await until('it tells of the client', () => tells('served, 1 of 1 replicators connected'));
      const alive = () => socket.told.filter((each) => each === 'WATCHDOG=1').length;
      assert.ok(alive() > 1);
      server.lento?.kill('SIGHUP');
      await until('it has read its configuration', () => tells('RELOADING=1\nMONOTONIC_USEC='));
      const reloaded = () => socket.told.slice(socket.told.findIndex((t) => /^RELOAD/.test(t)));
      await until('it is ready again', () => reloaded().some((each) => /^READY=1/.test(each)));
      await server.stopLento();
      assert.ok(tells('STOPPING=1'));
    } finally {
      socket.close();
      if (server.lento === undefined) await server.startLento();
    }
  });

  it('has another policy after SIGHUP, without a restart', async () => {
    const { client, server } = cluster;
    const other = (from: string, to: string) => (text: string) => text.replace(from, to);
    const told = await reload(client, 'fsetdb', other('<fileset ', '<fileset policy="readonly" '));
    assert.match(told, /info .*configuration: fileset shared: policy write -> readonly/);
    await writtenOn(client, 'after-reload');
    await server.stopLento();
    await assert.rejects(cluster.on(client, 'echo x > $M/refused'), /Read-only file system/);
    await server.startLento();
    await reload(client, 'fsetdb', other('policy="readonly" ', ''));
    await writtenOn(client, 'as-before');
  });

  it('lets replicators in and out after SIGHUP', async () => {
    const { client, server } = cluster;
    const line = `<replicator>${client.name}</replicator>`;
    const told = await reload(server, 'fsetdb', (text) => text.replace(line, ''));
    assert.match(told, new RegExp(`fileset shared: replicator ${client.name} is gone`));
    await until('the client is out', async () => !(await cluster.isConnected(client)));
    await reload(server, 'fsetdb', (text) => text.replace('</fileset>', `${line}</fileset>`));
    await writtenOn(client, 'back-again');
  });

  it('says what needs a restart, and goes on where the files are wrong', async () => {
    const { client, server } = cluster;
    const moved = await reload(server, 'serverdb', (text) =>
      text.replace('<server ', '<server port="2345" '),
    );
    assert.match(moved, /warn .*listens at .* port 2222 -> .* port 2345: needs a restart of lento/);
    await reload(server, 'serverdb', (text) => text.replace('port="2345" ', ''));
    const wrong = await reload(client, 'fsetdb', (text) =>
      text.replace('servername', 'sevrername'),
    );
    assert.match(wrong, /error .*the configuration stays as it was: .*fsetdb:\d+:\d+: /);
    assert.ok(await cluster.isConnected(server));
    await reload(client, 'fsetdb', (text) => text.replace('sevrername', 'servername'));
    const same = await reload(client, 'fsetdb', (text) => `${text}\n`);
    assert.match(same, /nothing has changed for this host/);
  });

  it('sends what is not sent when it is ended', async () => {
    const { client, server } = cluster;
    await cluster.connected();
    await cluster.on(
      client,
      'mkdir $M/drained; for i in {1..200}; do echo $i > $M/drained/$i; done',
    );
    await client.stopLento();
    assert.equal(await cluster.on(server, 'ls $M/drained | wc -l'), '200');
    await client.startLento();
    await writtenOn(client, 'drained/more');
  });

  it('lets go of a mount when all others have what was done there, or says what they lack', async () => {
    const { client, server } = cluster;
    await writtenOn(client, 'everywhere');
    await server.stopLento();
    await cluster.on(client, 'echo x > $M/only-here');
    const drain = ['umountizo', '--drain', client.mountPoint, '--timeout'];
    const refused = await client.izo([...drain, '1', '--json'], { okCodes: [7] });
    assert.match(refused.stdout, /shared is not everywhere: .*muskox/);
    await cluster.on(client, 'echo x > $M/still-writable');
    await server.startLento();
    await client.izo([...drain, '30']);
    assert.equal(await cluster.on(client, 'ls -A $M'), '');
    assert.equal(await cluster.on(server, 'cd $M; ls only-here still-writable | wc -l'), '2');
    await client.mount('shared');
  });

  it('ends at once at the second signal', async () => {
    const { client, server } = cluster;
    await writtenOn(client, 'mine');
    server.lento?.kill('SIGSTOP');
    try {
      await cluster.on(client, 'echo x > $M/unsent');
      const { lento } = client;
      assert.ok(lento !== undefined);
      lento.kill('SIGTERM');
      await sleep(500);
      assert.equal(lento.exitCode, null, 'it waits for the server');
      await client.stopLento();
      assert.match(log(client), /ending at once/);
    } finally {
      server.lento?.kill('SIGCONT');
    }
    await client.startLento();
    await cluster.connected();
    await cluster.equalAfter(client);
  });
});
