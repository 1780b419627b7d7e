import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { compareEntries } from '../../../src/core/lento/verify/differences.js';
import { digestPage, type PageRequest } from '../../../src/core/lento/verify/page.js';
import { verifyStep } from '../../../src/core/lento/verify/verifier.js';
import { NO_STAMP } from '../../../src/core/model/ids.js';
import { isWithin, treeOrder, type TreeDigest } from '../../../src/core/model/tree-digest.js';
import { AT_FDCWD, close, O_DIRECTORY, O_RDONLY, openat } from '../../../src/core/system/files.js';
import { ProtocolError } from '../../../src/core/wire/errors.js';
import { decodeDigestPage, encodeDigestPage } from '../../../src/core/wire/messages.js';

const sha = (text: string): Buffer => createHash('sha256').update(text).digest();

const FILE: TreeDigest = {
  path: 'd/f',
  mode: 0o100644,
  uid: 1,
  gid: 2,
  rdev: 0,
  links: 1,
  mtime: { sec: 5, nsec: 6 },
  size: 3,
  target: '',
  digest: sha('one'),
  object: { replica: 7, number: 8 },
  content: { replica: 7, recno: 9 },
  attributes: { replica: 7, recno: 8 },
  xattrs: [{ name: 'user.a', bytes: 1, digest: sha('x') }],
};

const what = (change: Partial<TreeDigest>): string[] =>
  compareEntries('d/f', FILE, { ...FILE, ...change }).map((each) => each.what);

describe('izo verify', () => {
  it('tells of every aspect by itself', () => {
    const changes: Record<string, Partial<TreeDigest>> = {
      mode: { mode: 0o100600 },
      owner: { gid: 3 },
      links: { links: 2 },
      mtime: { mtime: { sec: 5, nsec: 7 } },
      size: { size: 4 },
      contents: { digest: sha('two') },
      identity: { object: { replica: 7, number: 9 } },
      'version of the contents': { content: NO_STAMP },
      'version of the attributes': { attributes: { replica: 8, recno: 8 } },
      type: { mode: 0o120644 },
      'xattr user.a': { xattrs: [{ name: 'user.a', bytes: 1, digest: sha('y') }] },
    };
    for (const [aspect, change] of Object.entries(changes))
      assert.deepEqual(what(change), [aspect]);
    assert.deepEqual(what({}), []);
    assert.deepEqual(compareEntries('d/f', undefined, FILE), [
      { path: 'd/f', what: 'name', here: 'absent', there: 'file' },
    ]);
  });

  it('knows no versions of what a directory has for contents', () => {
    const directory: TreeDigest = { ...FILE, mode: 0o040755, size: 0, digest: Buffer.alloc(0) };
    const renewed = { ...directory, content: { replica: 8, recno: 1 } };
    assert.deepEqual(compareEntries('d', directory, renewed), []);
  });

  it('pages arrive as they were sent, and cut ones are refused', () => {
    const page = { end: 12, last: false, entries: [FILE, { ...FILE, path: 'd/g', xattrs: [] }] };
    const bytes = encodeDigestPage(page);
    assert.deepEqual(decodeDigestPage(bytes), page);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeDigestPage(bytes.subarray(0, length)), ProtocolError);
    }
    const endless = encodeDigestPage({ end: 1, last: false, entries: [] });
    assert.throws(() => decodeDigestPage(endless), ProtocolError);
  });

  it('the order of paths is the order of a walk', () => {
    const name = fc.constantFrom('a', 'a.b', 'a b', 'b', 'a-', '\xff');
    const path = fc.array(name, { maxLength: 4 }).map((names) => names.join('/'));
    fc.assert(
      fc.property(path, path, path, (a, b, c) => {
        const [x = '', y = '', z = ''] = [a, b, c].sort(treeOrder);
        assert.equal(treeOrder(x, y) <= 0 && treeOrder(y, z) <= 0 && treeOrder(x, z) <= 0, true);
        // What is below a directory comes right behind it.
        if (isWithin(z, x)) assert.ok(isWithin(y, x));
      }),
    );
  });

  describe('of trees', () => {
    let root: string;
    const fds: number[] = [];
    const tree = (name: string, files: Record<string, string>): number => {
      const directory = join(root, name);
      mkdirSync(join(directory, 'a', 'b'), { recursive: true });
      mkdirSync(join(directory, '.intermezzo'));
      symlinkSync('/etc', join(directory, 'link'));
      for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
      const fd = openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
      fds.push(fd);
      return fd;
    };
    beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'izo-verify-'))));
    afterEach(() => {
      for (const fd of fds.splice(0)) close(fd);
      rmSync(root, { recursive: true });
    });

    const ALL = { path: '', after: undefined, single: false, fast: false };

    it('walks from any place on as from the beginning, and never into links or what is not the tree', async () => {
      const fd = tree('one', { 'a/b/c': '1', 'a.x': '2', 'a/z': '3', b: '4' });
      const paths = (await digestPage(fd, ALL)).entries.map(({ path }) => path);
      assert.deepEqual(paths, ['', 'a', 'a/b', 'a/b/c', 'a/z', 'a.x', 'b', 'link']);
      for (const [index, after] of paths.entries()) {
        const rest = await digestPage(fd, { ...ALL, after });
        assert.deepEqual(
          rest.entries.map(({ path }) => path),
          paths.slice(index + 1),
          after,
        );
      }
      const part = await digestPage(fd, { ...ALL, path: 'a', after: 'a/b' });
      assert.deepEqual(
        part.entries.map(({ path }) => path),
        ['a/b/c', 'a/z'],
      );
    });

    it('reports what stays different, not what arrives when it is waited for, nor what is being written', async () => {
      const here = tree('here', { 'a/b/c': 'one' });
      const there = tree('there', { 'a/b/c': 'two' });
      mkdirSync(join(root, 'here', 'late'));
      chmodSync(join(root, 'there', 'a', 'b'), 0o700);
      let waited = 0;
      const step = await verifyStep(
        here,
        {
          page: async (request) => ({ end: 1, ...(await digestPage(there, request)) }),
          settle: () => {
            if (waited++ === 0) mkdirSync(join(root, 'there', 'late'));
            return Promise.resolve(true);
          },
        },
        { path: '', after: undefined, fast: false },
      );
      const found = step.differences.map((each) => `${each.path} ${each.what}`);
      assert.ok(found.includes('a/b mode'), found.join());
      assert.ok(!found.includes('late name'), found.join());
      // Files of a tree that no record tells of have no version: as if they were open.
      assert.deepEqual(step.changing, ['a/b/c']);
    });

    it('says that it does not know what does not arrive', async () => {
      const [here, there] = [tree('here', {}), tree('there', {})];
      mkdirSync(join(root, 'here', 'lost'));
      const other = {
        page: async (request: PageRequest) => ({ end: 1, ...(await digestPage(there, request)) }),
        settle: () => Promise.resolve(false),
      };
      const step = await verifyStep(here, other, { path: 'lost', after: undefined, fast: true });
      assert.deepEqual([step.differences, step.changing], [[], ['lost']]);
    });
  });
});
