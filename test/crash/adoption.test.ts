import assert from 'node:assert/strict';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IDENTITY_XATTR } from '../../src/core/cache/index.js';
import { ROOT_NODE } from '../../src/core/fuse/port.js';
import { adoptTree } from '../../src/core/presto/mounting/adoption.js';
import type { Presto } from '../../src/core/presto/presto.js';
import { must } from '../../src/core/system/errno.js';
import { run } from '../../src/core/system/processes.js';
import { removexattrAt } from '../../src/core/system/xattrs.js';
import { newEntry, ROOT, TornPresto } from '../support/torn-presto.js';

const MOMENTS_MAX = 300;

async function makeTree(top: string): Promise<void> {
  const below = join(top, 'below');
  mkdirSync(below, { recursive: true });
  writeFileSync(join(below, 'file'), 'contents that were there before');
  linkSync(join(below, 'file'), join(below, 'also'));
  symlinkSync('below/file', join(top, 'link'));
  await run('setfattr', ['-n', 'user.colour', '-v', 'blue', join(below, 'file'), below]);
  await run('touch', ['-d', '2001-02-03', below, join(below, 'file'), top]);
}

/** By presto, so that the log tells of it: each tree is looked at alone. */
function removeTree({ operations }: Presto, top: string): void {
  const [entry, below, other] = [newEntry(), newEntry(), newEntry()];
  operations.lookup(ROOT_NODE, top, entry);
  operations.lookup(entry.node, 'below', below);
  for (const name of ['file', 'also']) must(name, operations.unlink(ROOT, below.node, name));
  must('link', operations.unlink(ROOT, entry.node, 'link'));
  must('below', operations.rmdir(ROOT, entry.node, 'below'));
  must(top, operations.rmdir(ROOT, ROOT_NODE, top));
  // The last record is of something else than what is put there next.
  must('other', operations.mkdir(ROOT, ROOT_NODE, 'other', 0o755, 0, other));
  operations.forget(other.node, 1);
  must('other', operations.rmdir(ROOT, ROOT_NODE, 'other'));
  operations.forget(below.node, 1);
  operations.forget(entry.node, 1);
}

/** As if it had never been done. */
function beginAnew({ table }: Presto): void {
  must('removexattr', removexattrAt(table.root.fd, '', IDENTITY_XATTR));
  table.root.identity = undefined;
}

describe('a tree that was there before its log is taken in', () => {
  let torn: TornPresto;

  before(async function () {
    this.timeout(60_000);
    torn = await TornPresto.make();
  });
  after(async function () {
    this.timeout(60_000);
    await torn.remove();
  });

  it('whole, though presto ends at any moment of it', async function () {
    this.timeout(60_000);
    let moment = 1;
    for (let crashed = true; crashed; moment++) {
      assert.ok(moment < MOMENTS_MAX, 'it does not end');
      const top = `top${moment}`;
      beginAnew(torn.presto);
      await makeTree(join(torn.root, top));
      crashed = await torn.crash(moment, adoptTree);
      adoptTree(torn.presto);
      assert.equal(torn.presto.table.size, 1, 'it keeps nodes that nobody refers to');
      try {
        torn.check();
      } catch (error) {
        throw new Error(`crashed at moment ${moment}`, { cause: error });
      }
      removeTree(torn.presto, top);
    }
    assert.ok(moment > 50, `${moment} moments`);
  });
});
