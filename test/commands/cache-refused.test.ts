import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LowerRequest } from '../../src/core/cache/index.js';
import { run } from '../../src/core/system/processes.js';
import { CacheScratch, JOURNAL_DATA, failsWith, flagsOf } from './cache-support.js';

describe('presto refuses a cache', function () {
  this.timeout(60_000);
  let scratch: CacheScratch;
  beforeEach(() => {
    scratch = new CacheScratch();
  });
  afterEach(() => scratch.check());

  async function refused(
    device: string,
    code: string,
    pattern: RegExp,
    options: Partial<LowerRequest> = {},
  ): Promise<void> {
    await assert.rejects(scratch.take(device, options), failsWith(code, { pattern }));
    await scratch.assertReleased();
  }

  it('where there is none', async () => {
    await refused(join(scratch.path, 'none'), 'no-cache', /none: .*izo mkizofs/);
    await refused(scratch.path, 'not-a-cache', /neither/);
  });

  it('where it was never made one', async () => {
    const remedy = /fs0: .*izo mkizofs.* -v shared .*fs0/;
    await refused(scratch.image(), 'not-formatted', remedy);
    const plain = scratch.watch(join(scratch.path, 'plain', 'fs0'));
    mkdirSync(join(scratch.path, 'plain'));
    await run('mke2fs', ['-q', '-t', 'ext3', plain, '10M']);
    await refused(plain, 'not-formatted', remedy);
    await run('mke2fs', ['-q', '-F', '-t', 'ext2', plain, '10M']);
    await refused(plain, 'not-formatted', /ext2/);
  });

  it('as another fileset, or another type', async () => {
    const image = await scratch.cache('ext3', 'mine');
    await refused(image, 'wrong-fileset', /holds mine, not shared/);
    const type = { fileset: 'mine', cacheType: 'ext4' } as const;
    await refused(image, 'cache-type', /ext3, not ext4.*cache_type=ext3/, type);
    const lower = await scratch.take(image, {
      fileset: 'mine',
      cacheType: 'ext3',
      psdev: 'intermezzo1',
    });
    await lower.release();
  });

  it('where a log does not go through the journal', async () => {
    for (const name of ['kml', 'lml', 'last_rcvd']) {
      const image = await scratch.cache('ext4', 'shared', `without-${name}`);
      const path = `/.intermezzo/shared/${name}`;
      const flags = (await flagsOf(image, path)) & ~JOURNAL_DATA;
      const set = `set_inode_field ${path} flags 0x${flags.toString(16)}`;
      await run('debugfs', ['-w', '-R', set, image]);
      await refused(image, 'not-journaled', new RegExp(` ${name} .*--convert -v shared`));
      // The remedy helps.
      await scratch.format(image, { convert: true });
      await (await scratch.take(image, { psdev: `intermezzo-${name}` })).release();
    }
  });
});
