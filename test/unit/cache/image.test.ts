import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createImage } from '../../../src/core/cache/image.js';
import { parseSize } from '../../../src/core/model/sizes.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { EXIT } from '../../../src/core/model/exit-codes.js';

describe('size of a cache', () => {
  const good: Record<string, number> = {
    '10485760': 10_485_760,
    '512M': 512 * 2 ** 20,
    '1G': 2 ** 30,
    '1g': 2 ** 30,
    '10240k': 10_485_760,
    '2T': 2 * 2 ** 40,
    '1GiB': 2 ** 30,
    '64MB': 64 * 2 ** 20,
    ' 8M ': 8 * 2 ** 20,
  };
  for (const [text, bytes] of Object.entries(good)) {
    it(`${JSON.stringify(text)} is ${bytes} bytes`, () => {
      assert.equal(parseSize(text), bytes);
    });
  }

  for (const text of ['', '0', '0G', '-1G', '1.5G', 'G', '1X', '1 000M', '1GG', '0x10', '1e9']) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.equal(parseSize(text), undefined);
    });
  }

  it('is never more than a number can hold exactly', () => {
    assert.equal(parseSize('9000T'), undefined);
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('', 'K', 'M', 'G', 'T'), (count, unit) => {
        const size = parseSize(`${count}${unit}`);
        assert.ok(size === undefined || (Number.isSafeInteger(size) && size >= count && size > 0));
      }),
    );
  });
});

describe('image of a cache', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'izo-image-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('is sparse and only for its owner', () => {
    const path = join(directory, 'fs0');
    createImage(path, 2 ** 30);
    const status = statSync(path);
    assert.equal(status.size, 2 ** 30);
    assert.ok(status.blocks * 512 < 2 ** 20, `${status.blocks} blocks`);
    assert.equal(status.mode & 0o077, 0);
  });

  it('is not made over a file', () => {
    const path = join(directory, 'fs0');
    writeFileSync(path, 'precious');
    assert.throws(
      () => createImage(path, 2 ** 20),
      (error) =>
        error instanceof IzoError && error.code === 'exists' && error.exit === EXIT.refused,
    );
    assert.equal(readFileSync(path, 'utf8'), 'precious');
  });

  it('that cannot be made is told of in words', () => {
    assert.throws(
      () => createImage(join(directory, 'missing', 'fs0'), 2 ** 20),
      (error) =>
        error instanceof IzoError &&
        error.code === 'no-image' &&
        error.remedy === `Make it: mkdir -p ${join(directory, 'missing')}`,
    );
  });
});
