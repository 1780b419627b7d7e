import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'mocha';
import { loadAddon } from '../../../src/core/fuse/native/addon.js';
import { Listing } from '../../../src/core/fuse/native/listing.js';
import { Parking } from '../../../src/core/fuse/native/parking.js';
import { Paths } from '../../../src/core/fuse/native/paths.js';
import { PARK, ROOT_NODE } from '../../../src/core/fuse/port.js';
import { Attr, S_IFDIR } from '../../../src/core/system/attr.js';
import { E } from '../../../src/core/system/errno.js';
import { errorOf } from '../config/support.js';
import { MemoryTree } from '../../support/fuse/memory-tree.js';

const CALLER = { uid: 0, gid: 0, pid: 0 };

describe('paths of the native binding', () => {
  let tree: MemoryTree;
  let paths: Paths;

  function mkdir(parent: number, name: string): number {
    const entry = { node: 0, generation: 0, attr: new Attr() };
    tree.mkdir(CALLER, parent, name, 0o755, 0, entry);
    tree.forget(entry.node, 1);
    return entry.node;
  }

  beforeEach(() => {
    tree = new MemoryTree();
    paths = new Paths(tree);
  });

  const nodeOf = (path: string): number => paths.at(path, (node) => node);

  it('lead to nodes, and every lookup is given back', () => {
    const a = mkdir(ROOT_NODE, 'a');
    const b = mkdir(a, 'b');
    const f = tree.put(tree.at('a/b'), 'f', 'x').id;
    assert.deepEqual(['/', '/a', '/a/b', '/a/b/f'].map(nodeOf), [ROOT_NODE, a, b, f]);
    assert.equal(nodeOf('/a/none'), -E.ENOENT);
    assert.equal(nodeOf('/none/f'), -E.ENOENT);
    assert.equal(nodeOf('/a/b/f/x'), -E.ENOTDIR);
    assert.equal(tree.lookups, 2, 'only the directories on the way are remembered');
    paths.forgetAll();
    assert.equal(tree.lookups, 0);
  });

  it('give lookups back also where the act throws', () => {
    tree.put(tree.root, 'f', 'x');
    assert.throws(() =>
      paths.at('/f', () => {
        throw new Error('thrown');
      }),
    );
    assert.equal(tree.lookups, 0);
  });

  it('are held for open files', () => {
    const { id } = tree.put(tree.root, 'f', 'x');
    assert.equal(paths.hold('/f'), id);
    assert.equal(tree.lookups, 1);
    paths.release(id);
    assert.equal(tree.lookups, 0);
  });

  it('look directories up once, the last name every time', () => {
    mkdir(mkdir(ROOT_NODE, 'a'), 'b');
    tree.put(tree.at('a/b'), 'f', 'x');
    const lookups = (): number => tree.calls.get('lookup') ?? 0;
    const before = lookups();
    nodeOf('/a/b/f');
    assert.equal(lookups() - before, 3);
    nodeOf('/a/b/f');
    assert.equal(lookups() - before, 4);
  });

  it('follow a directory that was moved or replaced by somebody else', () => {
    const a = mkdir(ROOT_NODE, 'a');
    tree.put(tree.at('a'), 'f', 'old');
    const old = nodeOf('/a/f');
    tree.rename(CALLER, ROOT_NODE, 'a', ROOT_NODE, 'moved', 0);
    paths.changed(ROOT_NODE, 'a');
    assert.equal(nodeOf('/a/f'), -E.ENOENT);
    assert.equal(nodeOf('/moved/f'), old);
    mkdir(ROOT_NODE, 'a');
    assert.notEqual(nodeOf('/a'), a);
    paths.changed(ROOT_NODE, 'nobody knows it');
    paths.forgetAll();
    assert.equal(tree.lookups, 0);
  });

  it('remember a bounded number of directories', () => {
    for (let i = 0; i < 5000; i++) {
      mkdir(ROOT_NODE, `d${i}`);
      paths.trim();
      assert.equal(nodeOf(`/d${i}/f`), -E.ENOENT);
    }
    assert.ok(tree.lookups <= 4096, `${tree.lookups}`);
  });

  it('of names that came as no text are refused, and nothing is looked up', () => {
    assert.equal(nodeOf('/a\uFFFD'), -E.EILSEQ);
    assert.equal(
      paths.in('/\uFFFD', () => 0),
      -E.EILSEQ,
    );
    assert.equal(tree.calls.get('lookup'), undefined);
  });

  it('of other scripts are bytes for the file system', () => {
    tree.put(tree.root, Buffer.from('grün', 'utf8').toString('latin1'), 'x');
    assert.ok(nodeOf('/grün') > 0);
  });

  it('pass on that a lookup waits', () => {
    mkdir(ROOT_NODE, 'a');
    tree.parking.add('lookup');
    assert.equal(nodeOf('/a'), PARK);
    assert.equal(nodeOf('/a/f'), PARK);
    tree.parking.clear();
    assert.equal(nodeOf('/a/f'), -E.ENOENT);
  });
});

describe('the native binding', () => {
  it('lists names that are text, and stops at one that is none', () => {
    const listing = new Listing();
    assert.ok(listing.add(Buffer.from('grün').toString('latin1'), 7, S_IFDIR >> 12));
    assert.ok(!listing.add('\xff', 8, 8));
    assert.deepEqual(listing.names, ['grün']);
    assert.deepEqual([listing.stats[0]?.[0], listing.stats[0]?.[7]], [S_IFDIR, 7]);
    assert.equal(listing.unspeakable, '\xff');
    listing.clear();
    assert.deepEqual([listing.names, listing.unspeakable], [[], undefined]);
  });

  it('resumes in the order of arrival, and once more where asked for during a pass', async () => {
    const parking = new Parking();
    const served: string[] = [];
    let open = false;
    const attempt = (name: string) => () => {
      if (!open) return false;
      served.push(name);
      if (name === 'b') parking.resume();
      return true;
    };
    for (const name of ['a', 'b', 'c']) parking.serve(attempt(name));
    assert.equal(parking.size, 3);
    parking.resume();
    assert.equal(parking.size, 3);
    open = true;
    let late = 0;
    parking.serve(() => {
      parking.resume();
      return late++ === 1;
    });
    // Who asks from inside of a request is served after it.
    assert.deepEqual(served, ['a', 'b', 'c']);
    assert.equal(parking.size, 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(served, ['a', 'b', 'c']);
  });

  it('says what to install where fuse-native is not', () => {
    const error = errorOf(() => loadAddon('file:///nowhere/at-all.js'));
    assert.equal(error.code, 'no-native-binding');
    assert.match(error.message, /Cannot find module 'fuse-native'/);
    assert.match(error.remedy ?? '', /libfuse2.*npm install fuse-native@2\.2\.6.*binding=device/);
  });
});
