import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { outcome } from '../support/calls.js';
import { describeTrees } from '../support/tree.js';

const BLOCK = Buffer.alloc(64 * 1024, 'b');

/** Appends until there is no room, then bytes until there is not a single block. @returns the bytes written */
function fill(path: string): number {
  let total = 0;
  for (const size of [BLOCK.length, 512]) {
    let end: string;
    do {
      const fd = openSync(path, 'a');
      end = outcome(() => (total += writeSync(fd, BLOCK, 0, size)));
      const closed = outcome(() => {
        closeSync(fd);
      });
      if (end === 'ok') end = closed;
    } while (end === 'ok');
    assert.equal(end, 'ENOSPC');
  }
  return total;
}

describeTrees(
  'a full disk',
  ({ at }) => {
    it('refuses writes with ENOSPC, keeps what was written, and can be emptied', () => {
      writeFileSync(at('small'), 'kept');
      mkdirSync(at('d'));
      const total = fill(at('large'));
      assert.ok(total > 2 ** 20, `${total} bytes`);
      assert.equal(readFileSync(at('small'), 'utf8'), 'kept');
      assert.ok(readdirSync(at()).includes('large'));
      for (let i = 0; i < 50; i++) {
        const made = outcome(() => {
          writeFileSync(at('d', `${i}`), BLOCK);
        });
        assert.equal(made, 'ENOSPC');
      }
      unlinkSync(at('large'));
      assert.ok(!existsSync(at('large')));
      rmSync(at('d'), { recursive: true });
      writeFileSync(at('again'), BLOCK);
      renameSync(at('again'), at('renamed'));
      assert.ok(readFileSync(at('renamed')).equals(BLOCK));
    }).timeout(60_000);

    it('without a single block left can be emptied', () => {
      for (let i = 0; i < 30; i++) writeFileSync(at(`kept-${i}`), 'small');
      fill(at('large'));
      let count = 0;
      const make = (): void => {
        closeSync(openSync(at(`${++count}`.padStart(200, 'n')), 'wx'));
      };
      while (outcome(make) === 'ok');
      for (let i = 0; i < 30; i++) unlinkSync(at(`kept-${i}`));
      unlinkSync(at('large'));
      writeFileSync(at('again'), BLOCK);
    }).timeout(60_000);

    it('of many small files can be emptied', () => {
      mkdirSync(at('d'));
      let count = 0;
      const make = (): void => {
        writeFileSync(at('d', `${count}`), BLOCK.subarray(0, 5000));
        count++;
      };
      while (outcome(make) === 'ok');
      const before = readdirSync(at('d')).length;
      assert.ok(before >= count && count > 100);
      rmSync(at('d'), { recursive: true });
      mkdirSync(at('d'));
      for (count = 0; count < 100; count++) make();
    }).timeout(60_000);
  },
  '16M',
);
