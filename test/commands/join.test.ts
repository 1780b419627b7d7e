import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { izo } from './run.js';

const FIXTURE = fileURLToPath(new URL('../fixtures/config/one-client', import.meta.url));

describe('izo invite and izo join', () => {
  let directory: string;
  let server: string;
  let client: string;
  const mode = (...names: string[]): string => (statSync(join(...names)).mode & 0o7777).toString(8);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'izo-join-'));
    server = join(directory, 'server');
    client = join(directory, 'client');
    cpSync(FIXTURE, server, { recursive: true });
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  async function invite(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await izo(['invite', ...args], {
      env: { IZO_CONFIG_DIR: server },
    });
    assert.equal(code, 0, stderr);
    return stdout;
  }

  const joinWith = (args: string[], input = ''): ReturnType<typeof izo> =>
    izo(['join', ...args], { env: { IZO_CONFIG_DIR: client }, input });

  it('print the token alone, and take it from standard input', async () => {
    const token = await invite('clientB');
    assert.match(token, /^izo1\.[\w-]+\.[0-9a-f]{8}\n$/);
    const { code, stdout, stderr } = await joinWith(['-'], token);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^this host is clientB, client of muskox .* for shared$/m);
    for (const name of ['sysid', 'serverdb', 'fsetdb']) {
      assert.ok(stdout.includes(`wrote ${join(client, name)}\n`), stdout);
      assert.ok(existsSync(join(client, name)));
    }
  });

  it('leave the same key on both, for root alone', async () => {
    await joinWith([(await invite('clientB')).trim()]);
    const [here, there] = [server, client].map((each) => join(each, 'keys', 'clientB@muskox'));
    assert.ok(here !== undefined && there !== undefined);
    assert.equal(readFileSync(here, 'utf8'), readFileSync(there, 'utf8'));
    for (const key of [here, there]) {
      assert.equal(mode(key), '600');
      assert.equal(mode(key, '..'), '700');
    }
  });

  it('change nothing the second time', async () => {
    const token = await invite('clientB');
    assert.equal(await invite('clientB'), token);
    await joinWith(['-'], token);
    const { code, stdout } = await joinWith(['-', '--json'], token);
    assert.equal(code, 0);
    assert.deepEqual((JSON.parse(stdout) as { written: string[] }).written, []);
  });

  it('take a token that was broken over lines', async () => {
    const token = await invite('clientB');
    const { code, stderr } = await joinWith(['-'], token.replaceAll(/.{60}/g, '$&\r\n'));
    assert.equal(code, 0, stderr);
  });

  it('take the presto device and the address of this host', async () => {
    const flags = ['--bindaddr', '192.168.0.9', '--psdev', '/dev/intermezzo3'];
    await joinWith(['-', ...flags], await invite('clientB'));
    const sysid = readFileSync(join(client, 'sysid'), 'utf8');
    assert.match(sysid, /psdev="\/dev\/intermezzo3"/);
    assert.match(sysid, /bindaddr="192\.168\.0\.9"/);
  });

  it('finish a client: cache, mount point, line in fstab', async () => {
    const token = await invite('clientB');
    const [mtpt, cache] = [join(directory, 'izo0'), join(directory, 'lib', 'shared.img')];
    const fstab = join(directory, 'fstab');
    const args = ['--mount', mtpt, '--cache', cache, '--size', '16M', '--fstab', fstab];
    const { code, stdout, stderr } = await joinWith(['-', ...args], token);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^to mount: izo mount ${mtpt}$`, 'm'));
    assert.ok(statSync(mtpt).isDirectory());
    assert.equal(statSync(cache).size, 16 * 2 ** 20);
    assert.match(
      readFileSync(fstab, 'utf8'),
      new RegExp(`^${cache} ${mtpt} InterMezzo loop,fileset=shared,.*,noauto 0 0\\n$`),
    );
    const again = await joinWith(['-', ...args, '--json'], token);
    const { written, made } = JSON.parse(again.stdout) as Record<string, unknown>;
    assert.deepEqual([written, made], [[], []]);
    const wrong = await joinWith(['-', '--mount', 'other=/izo1', '--fstab', fstab], token);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /not for fileset `other`.*`shared`/);
  });

  it('refuse to turn one host into another, and write nothing', async () => {
    await joinWith(['-'], await invite('clientB'));
    const before = readFileSync(join(client, 'sysid'), 'utf8');
    const token = await invite('clientC');
    const { code, stderr } = await joinWith(['-'], token);
    assert.equal(code, 6);
    assert.match(stderr, /the invitation is for host `clientC`, this host is `clientB`/);
    assert.equal(readFileSync(join(client, 'sysid'), 'utf8'), before);
    assert.ok(!existsSync(join(client, 'keys', 'clientC@muskox')));
    assert.equal((await joinWith(['-', '--force'], token)).code, 0);
  });

  it('do not repeat a damaged token, for it holds a key', async () => {
    const token = (await invite('clientB')).trim();
    const { code, stdout, stderr } = await joinWith(['-'], `${token}0`);
    assert.equal(code, 1);
    assert.match(stderr, /the token is damaged/);
    assert.ok(!(stdout + stderr).includes(token.slice(5, 40)));
  });

  it('say what to do where nobody can be asked for the token', async () => {
    const { code, stderr } = await joinWith([]);
    assert.equal(code, 2);
    assert.match(stderr, /`izo join -`/);
  });
});
