import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/core/system/processes.js';
import { CacheScratch, JOURNAL_DATA, TYPES, flagsOf, namesIn } from './cache-support.js';

describe('converting to a cache', function () {
  this.timeout(60_000);
  let scratch: CacheScratch;
  beforeEach(() => {
    scratch = new CacheScratch();
  });
  afterEach(() => scratch.check());

  for (const type of TYPES) {
    it(`adopts an ${type} and leaves its files alone`, async () => {
      const image = scratch.image();
      const tree = join(scratch.path, 'tree');
      mkdirSync(join(tree, 'sub'), { recursive: true });
      writeFileSync(join(tree, 'sub', 'file'), 'precious');
      await run('mke2fs', ['-q', '-t', type, '-F', '-d', tree, image]);
      const stat = () => run('debugfs', ['-R', 'stat /sub/file', image]);
      const before = (await stat()).stdout;
      await scratch.format(image, { convert: true });
      assert.equal((await stat()).stdout, before);
      assert.deepEqual(await namesIn(image, '/'), ['.intermezzo', 'lost+found', 'sub']);
      assert.ok((await flagsOf(image, '/.intermezzo/shared/kml')) & JOURNAL_DATA);
      // Twice does no harm: it is also the remedy for logs without the flag.
      await scratch.format(image, { convert: true });
      await run('e2fsck', ['-fn', image]);
    });
  }
});
