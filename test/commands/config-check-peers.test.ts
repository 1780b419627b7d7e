import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IZO, izo } from './run.js';

const ADDRESS = '127.0.0.1';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, ADDRESS);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe('izo config-check --peers', function () {
  this.timeout(30_000);
  let root: string;
  let lento: ChildProcess | undefined;
  let port: number;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'izo-peers-'));
    port = await freePort();
    for (const name of ['muskox', 'clientA']) {
      mkdirSync(join(root, name, 'keys'), { recursive: true, mode: 0o700 });
      mkdirSync(join(root, name, 'run'));
      write(name, 'sysid', `<sysid name="${name}" psdev="/dev/intermezzo0" />\n`);
      write(
        name,
        'serverdb',
        `<serverdb>\n  <server name="muskox" ipaddr="${ADDRESS}" port="${port}" />\n</serverdb>\n`,
      );
      describeFileset(name, 'clientA');
      key(name, 7);
    }
    const child = spawn(process.execPath, [IZO, 'lento'], {
      env: { ...process.env, ...environment('muskox') },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    lento = child;
    let said = '';
    for await (const text of child.stdout) {
      said += String(text);
      if (said.includes('is ready')) break;
    }
    assert.match(said, /is ready/);
  });

  after(async () => {
    await stop();
    rmSync(root, { recursive: true, force: true });
  });

  async function stop(): Promise<void> {
    if (lento === undefined || lento.exitCode !== null || lento.signalCode !== null) return;
    const gone = once(lento, 'exit');
    lento.kill('SIGKILL');
    await gone;
  }

  const write = (host: string, file: string, text: string): void =>
    writeFileSync(join(root, host, file), text);
  const key = (host: string, byte: number): void =>
    writeFileSync(
      join(root, host, 'keys', 'clientA@muskox'),
      `${Buffer.alloc(32, byte).toString('base64')}\n`,
      { mode: 0o600 },
    );
  /** The fileset, as a host has it. */
  function describeFileset(host: string, ...replicators: string[]): void {
    const inside = replicators.map((name) => `<replicator>${name}</replicator>`).join('');
    write(
      host,
      'fsetdb',
      `<fsetdb>\n  <fileset name="shared" servername="muskox">${inside}</fileset>\n</fsetdb>\n`,
    );
  }
  const environment = (host: string): Record<string, string> => ({
    IZO_CONFIG_DIR: join(root, host),
    IZO_RUN_DIR: join(root, host, 'run'),
    IZO_STATE_DIR: join(root, host, 'run'),
    IZO_FSTAB: '/nowhere/fstab',
  });

  /** The findings between hosts that a host tells. */
  async function told(host: string): Promise<string[]> {
    const { stdout } = await izo(['config-check', '--peers', '--json'], { env: environment(host) });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { id: string }[] };
    return diagnostics.map(({ id }) => id).filter((id) => id.startsWith('IZO7'));
  }

  it('tells that the server has not mounted the fileset, and nothing else', async () => {
    assert.deepEqual(await told('clientA'), ['IZO7011']);
  });

  it('tells the server who is not connected', async () => {
    // lento knows no peers of what is not mounted: all of them are absent.
    assert.deepEqual(await told('muskox'), ['IZO7009']);
  });

  it('tells of descriptions that differ', async () => {
    describeFileset('clientA', 'clientA', 'clientB');
    assert.deepEqual((await told('clientA')).sort(), ['IZO7011', 'IZO7012']);
    describeFileset('clientA', 'clientA');
  });

  it('tells of another key', async () => {
    key('clientA', 8);
    assert.deepEqual(await told('clientA'), ['IZO7002']);
    key('clientA', 7);
  });

  it('tells of a fileset that the server does not have', async () => {
    write(
      'clientA',
      'fsetdb',
      '<fsetdb>\n  <fileset name="wool" servername="muskox"><replicator>clientA</replicator></fileset>\n</fsetdb>\n',
    );
    assert.deepEqual(await told('clientA'), ['IZO7008']);
    describeFileset('clientA', 'clientA');
  });

  it('tells that nobody answers', async () => {
    await stop();
    assert.deepEqual(await told('clientA'), ['IZO7001']);
    assert.deepEqual(await told('muskox'), ['IZO7010']);
  });
});
