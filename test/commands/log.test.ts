import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { FILESET, MountedHost } from '../support/mounted-host.js';
import { izo, IZO, type Finished } from './run.js';

interface Log {
  begins: number;
  trimmed: boolean;
  updates: { op: string; path: string; newPath?: string; user: string; host: string }[];
}

describe('izo log', function () {
  this.timeout(60_000);
  let mounted: MountedHost;
  const log = (...args: string[]): Promise<Finished> =>
    izo(['log', ...args], { env: mounted.host.environment });
  const at = (name: string): string => join(mounted.mountPoint, name);

  async function operations(...args: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await log(...args, '--json');
    assert.equal(code, 0, stderr);
    return (JSON.parse(stdout) as Log).updates.map(({ op, path }) => `${op} ${path}`);
  }

  before(async () => {
    mounted = await MountedHost.make();
    await mounted.mount();
    mkdirSync(at('d'));
    writeFileSync(at('d/f'), 'contents');
    writeFileSync(at('other'), 'x');
    renameSync(at('d'), at('e'));
    chownSync(at('e/f'), 1, 1);
    renameSync(at('e/f'), at('e/g'));
    rmSync(at('other'));
  });
  after(() => mounted.remove());

  const OF_G = ['RENAME e/f', 'SETATTR e/f', 'RENAME d', 'CLOSE d/f', 'CREATE d/f'];

  it('follows a path through renames, of the mounted fileset and of its cache when it is not', async () => {
    assert.deepEqual(await operations(FILESET, 'e/g'), OF_G);
    assert.deepEqual(await operations(mounted.mountPoint, '/e/g', '-n', '2'), OF_G.slice(0, 2));
    await mounted.unmount();
    assert.deepEqual(await operations(mounted.image, 'e/g'), OF_G);
    await mounted.mount();
  });

  it('filters, and shows lines that people read', async () => {
    assert.deepEqual(await operations(FILESET, '--op', 'unlink,mkdir'), [
      'UNLINK other',
      'MKDIR d',
    ]);
    assert.deepEqual(await operations(FILESET, '--user', '4242'), []);
    assert.deepEqual(await operations(FILESET, '--until', '1h'), []);
    assert.equal((await operations(FILESET, '--since', '1h', '--user', 'root')).length, 9);
    const { stdout } = await log(FILESET, '-n', '1');
    assert.match(stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}root@\S+ {2}UNLINK {2}other\n$/);
  });

  it('refuses what it does not understand', async () => {
    for (const words of [
      ['--op', 'EXPLODE'],
      ['--user', 'no-such-user'],
      ['--since', 'later'],
      ['--host', 'nobody'],
    ]) {
      const { code, stderr } = await log(FILESET, ...words);
      assert.equal(code, 2, stderr);
    }
    assert.equal((await log('nothing-like-that')).code, 4);
    assert.equal((await log(FILESET, '../etc')).code, 2);
  });

  it('goes on with what happens', async () => {
    const env = { ...process.env, ...mounted.host.environment };
    const child = spawn(process.execPath, [IZO, 'log', FILESET, 'e', '--follow', '-n', '1'], {
      env,
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    try {
      assert.match(String((await lines.next()).value), /RENAME {2}e\/f/);
      writeFileSync(at('elsewhere'), '');
      mkdirSync(at('e/new'));
      assert.match(String((await lines.next()).value), /MKDIR {2}e\/new/);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
