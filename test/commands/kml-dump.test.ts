import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { FILESET, MountedHost } from '../support/mounted-host.js';
import { izo, type Finished } from './run.js';

interface Dump {
  log: string;
  records: { recno: number; op: string; path: string }[];
}

describe('izo kml dump', () => {
  let mounted: MountedHost;
  let copy: string;
  const dump = (...args: string[]): Promise<Finished> =>
    izo(['kml', 'dump', ...args], { env: mounted.host.environment });
  const lines = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await dump(...args);
    assert.equal(code, 0, stderr);
    return stdout.split('\n').slice(0, -1);
  };

  before(async function () {
    this.timeout(60_000);
    mounted = await MountedHost.make();
    await mounted.mount();
    const at = (name: string): string => join(mounted.mountPoint, name);
    mkdirSync(at('d'));
    writeFileSync(at('d/f'), 'contents');
    renameSync(at('d/f'), at('d/g'));
    copy = join(mounted.root, 'kml.copy');
    copyFileSync(join(mounted.state.lowerPath, '.intermezzo', FILESET, 'kml'), copy);
  });

  after(async function () {
    this.timeout(60_000);
    await mounted.remove();
  });

  it('shows one line for each update', async () => {
    const found = await lines();
    assert.equal(found.length, 4);
    assert.match(found[0] ?? '', /^1 {2}\S+Z {2}MKDIR {2}d .*mode=0755.* by 0:0 pid \d+/);
    assert.match(found[1] ?? '', /^2 {2}\S+ {2}CREATE {2}d\/f /);
    assert.match(found[2] ?? '', /^3 {2}\S+ {2}CLOSE {2}d\/f {2}size=8 /);
    assert.match(found[3] ?? '', /^4 {2}\S+ {2}RENAME {2}d\/f {2}-> d\/g /);
  });

  it('finds the log by fileset, mount point, cache and file', async () => {
    const expected = await lines();
    for (const name of [FILESET, mounted.mountPoint, mounted.image, copy]) {
      assert.deepEqual(await lines(name), expected, name);
    }
  });

  it('--from and --tail', async () => {
    const expected = await lines();
    assert.deepEqual(await lines('--from', '3'), expected.slice(2));
    assert.deepEqual(await lines('--from', '9'), []);
    assert.deepEqual(await lines('--tail', '1'), expected.slice(3));
    assert.deepEqual(await lines('--tail', '100'), expected);
    assert.equal((await dump('--tail', '1', '--from', '1')).code, 2);
  });

  it('--json', async () => {
    const { stdout } = await dump('--json', '--from', '2');
    const { log, records } = JSON.parse(stdout) as Dump;
    assert.match(log, /^[0-9a-f]{12}$/);
    assert.deepEqual(
      records.map(({ recno, op, path }) => `${recno} ${op} ${path}`),
      ['2 CREATE d/f', '3 CLOSE d/f', '4 RENAME d/f'],
    );
  });

  it('reads a log with a torn tail up to it, and a damaged one not past the damage', async () => {
    const torn = join(mounted.root, 'kml.torn');
    copyFileSync(copy, torn);
    appendFileSync(torn, 'half a record');
    assert.deepEqual(await lines(torn), await lines(copy));
    const bytes = readFileSync(copy);
    bytes.writeUInt8(bytes.readUInt8(120) ^ 1, 120);
    const broken = join(mounted.root, 'kml.broken');
    writeFileSync(broken, bytes);
    const { code, stderr } = await dump(broken);
    assert.equal(code, 1);
    assert.match(stderr, /damaged at byte 64/);
  });

  it('says what it cannot show', async () => {
    const nowhere = { env: { ...mounted.host.environment, IZO_RUN_DIR: mounted.root } };
    const none = await izo(['kml', 'dump'], nowhere);
    assert.deepEqual([none.code, none.stdout], [4, '']);
    assert.match(none.stderr, /no fileset is mounted/);
    const other = await dump(mounted.root);
    assert.equal(other.code, 4);
  });
});
