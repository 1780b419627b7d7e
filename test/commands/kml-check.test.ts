import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILESET, MountedHost } from '../support/mounted-host.js';
import { izo, type Finished } from './run.js';

describe('izo kml check and stat', function () {
  this.timeout(60_000);
  let mounted: MountedHost;
  let copy: string;
  const kml = (...args: string[]): Promise<Finished> =>
    izo(['kml', ...args], { env: mounted.host.environment });

  before(async () => {
    mounted = await MountedHost.make();
    await mounted.mount();
    for (let i = 0; i < 40; i++) mkdirSync(join(mounted.mountPoint, `d${i}`));
    writeFileSync(join(mounted.mountPoint, 'f'), 'contents');
    copy = join(mounted.root, 'kml.copy');
    copyFileSync(join(mounted.state.lowerPath, '.intermezzo', FILESET, 'kml'), copy);
  });
  after(() => mounted.remove());

  it('find nothing in a good log, and count what is there', async () => {
    const check = await kml('check');
    assert.deepEqual([check.code, check.stdout], [0, '42 records, 1 to 42: all good\n']);
    const { code, stdout } = await kml('stat', '--json');
    assert.equal(code, 0);
    const stat = JSON.parse(stdout) as {
      records: number;
      bytes: number;
      missing: number;
      operations: { name: string; records: number }[];
      hosts: { records: number }[];
    };
    assert.equal(stat.bytes, readFileSync(copy).length - 64);
    assert.deepEqual([stat.records, stat.missing], [42, 0]);
    assert.deepEqual(
      stat.operations.map(({ name, records }) => `${name} ${records}`),
      ['MKDIR 40', 'CLOSE 1', 'CREATE 1'],
    );
    assert.deepEqual(
      stat.hosts.map(({ records }) => records),
      [42],
    );
    assert.match((await kml('stat', FILESET)).stdout, /^MKDIR +40 +\d+$/m);
  });

  it('tell of each damage by its byte and record, and of half a record at the end', async () => {
    const bytes = readFileSync(copy);
    const offsets: number[] = [];
    for (let at = 64; at < bytes.length; at += bytes.readUInt32LE(at)) offsets.push(at);
    const bad = Buffer.from(bytes.subarray(0, bytes.length - 20));
    for (const index of [4, 20]) bad.writeUInt8(0xff, (offsets[index] ?? 0) + 30);
    const path = join(mounted.root, 'kml.bad');
    writeFileSync(path, bad);
    const { code, stdout } = await kml('check', path, '--json');
    assert.equal(code, 3);
    const { faults, records } = JSON.parse(stdout) as {
      records: number;
      faults: { offset: number; recno: number; kind: string }[];
    };
    const found = faults.map(({ offset, recno, kind }) => [offset, recno, kind]);
    assert.deepEqual(found, [
      [offsets[4], 5, 'damaged'],
      [offsets[20], 21, 'damaged'],
      [offsets[41], 42, 'torn-tail'],
    ]);
    assert.equal(records, 39);
    const lines = (await kml('check', path)).stdout;
    assert.match(lines, new RegExp(`^byte ${offsets[4]}: record 5 is damaged: `, 'm'));
    assert.match(lines, /see izo recovery\n$/);
  });
});
