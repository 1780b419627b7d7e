import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountString } from '../../../src/core/fuse/native/mount-string.js';
import { openNative } from '../../../src/core/fuse/native/binding.js';
import { MAX_NATIVE_IO_BYTES } from '../../../src/core/fuse/native/limits.js';
import { Attr } from '../../../src/core/system/attr.js';
import { findMountAt } from '../../../src/core/system/mounts.js';
import { errorOf } from '../config/support.js';
import { until, withMount, type MountedTree } from '../../support/fuse/mounted-tree.js';

const LOG = () => undefined;
const CALLER = { uid: 0, gid: 0, pid: 0 };
const newEntry = () => ({ node: 0, generation: 0, attr: new Attr() });

describe('options of the native binding', () => {
  const request = { source: '/images/a,b\\c', mountPoint: '/izo0', readOnly: true, log: LOG };

  it('are what libfuse 2 understands', () => {
    const words = mountString({ ...request, mountOptions: { nosuid: true } });
    assert.ok(words.startsWith('-ofsname=/images/a\\,b\\\\c,subtype=InterMezzo,'), words);
    for (const word of ['ro', 'nosuid', 'dev', 'default_permissions', 'entry_timeout=0'])
      assert.ok(words.split(',').includes(word), word);
    assert.ok(!words.includes('allow_other'));
  });

  it('are refused where they are too long for fuse-native', () => {
    const source = `/${'x'.repeat(1000)}`;
    assert.equal(errorOf(() => mountString({ ...request, source })).code, 'path-too-long');
    const mountPoint = source.repeat(2);
    assert.equal(errorOf(() => mountString({ ...request, mountPoint })).code, 'path-too-long');
  });
});

/** fuse-native has builds for x86-64 only. */
const describeNative = process.arch === 'x64' && existsSync('/dev/fuse') ? describe : undefined;

const withNative = (use: (mounted: MountedTree) => Promise<void>): Promise<void> =>
  withMount(use, openNative);

describeNative?.('a mount by the native binding', () => {
  it('serves programs, and gives every node and file back', () =>
    withNative(async ({ sh, tree, binding, mountPoint }) => {
      assert.equal(binding.kind, 'native');
      assert.match(findMountAt(mountPoint)?.type ?? '', /^fuse\.InterMezzo$/);
      await sh('mkdir -p $M/a/b && echo text >$M/a/b/f && ln -s f $M/a/b/l && mv $M/a $M/c');
      assert.equal(await sh('cat $M/c/b/l'), 'text');
      assert.equal(tree.at('c/b/f').text(), 'text\n');
      await sh('setfattr -n user.a -v 1 $M/c/b/f 2>/dev/null || true; rm -r $M/c; test ! -e $M/c');
      assert.equal(tree.root.names.size, 0);
      await binding.unmount(false);
      await binding.unmounted;
      assert.equal(tree.lookups, 0);
      assert.equal(tree.opened, 0);
    }));

  it(`writes ${MAX_NATIVE_IO_BYTES} bytes at once, and all of it arrives`, () =>
    withNative(async ({ sh, tree }) => {
      await sh('dd if=/dev/zero bs=1M count=2 2>/dev/null | tr "\\0" x >$M/f');
      assert.equal(tree.at('f').text(), 'x'.repeat(2 ** 21));
      assert.equal(await sh('tr -d x <$M/f | wc -c'), '0');
      const calls = tree.calls.get('write') ?? 0;
      assert.ok(calls >= 16, `${calls} writes`);
    }));

  it('keeps both times of utimens, to the millisecond', () =>
    withNative(async ({ sh, tree }) => {
      tree.put(tree.root, 'f', '');
      await sh('touch -d @1000.250 $M/f; touch -a -d @5 $M/f; cp -p $M/f $M/g');
      const { mtimeSec, mtimeNsec } = tree.at('g');
      assert.deepEqual([mtimeSec, mtimeNsec], [1000, 250_000_000]);
    }));

  it('parks requests and answers them in their order, while others go on', () =>
    withNative(async ({ start, sh, tree, binding }) => {
      tree.put(tree.root, 'f', 'served');
      // Of one directory the kernel would send one mkdir at a time.
      const names = ['a', 'b', 'c'];
      for (const name of names) tree.mkdir(CALLER, tree.root.id, name, 0o755, 0, newEntry());
      tree.parking.add('mkdir');
      const children = [];
      for (const name of names) {
        children.push(start(`mkdir $M/${name}/d`));
        await until(`${name}/d waits`, () => binding.parked === children.length);
      }
      assert.equal(await sh('cat $M/f'), 'served');
      binding.resumeParked();
      assert.equal(binding.parked, 3);
      tree.parking.clear();
      const made: string[] = [];
      tree.onCall = (operation) => {
        if (operation !== 'mkdir') return;
        made.push(names.filter((name) => tree.at(name).names.has('d')).join(''));
      };
      binding.resumeParked();
      assert.equal(binding.parked, 0);
      for (const child of children) assert.ok(!(await child).failed);
      assert.deepEqual(made, ['', 'a', 'ab']);
    }));

  it('follows a name that somebody else has moved', () =>
    withNative(async ({ sh, tree, binding }) => {
      await sh('mkdir $M/a; echo one >$M/a/f; cat $M/a/f');
      tree.rename(CALLER, tree.root.id, 'a', tree.root.id, 'b', 0);
      binding.invalidateEntry(tree.root.id, 'a');
      await binding.invalidated(1000);
      assert.equal(await sh('test ! -e $M/a/f && cat $M/b/f'), 'one');
    }));

  it('answers with EIO what throws, says so, and goes on', () =>
    withNative(async ({ sh, tree, messages }) => {
      tree.throwing.add('mkdir');
      assert.match(await sh('mkdir $M/d 2>&1 || true'), /Input\/output error/);
      tree.throwing.clear();
      await sh('mkdir $M/d');
      assert.ok(messages.some((line) => line.includes('mkdir was told to throw')));
    }));

  it('refuses names that are no text, and says which directory has one', () =>
    withNative(async ({ sh, tree, messages }) => {
      const refused = await sh('mkdir "$M/$(printf "a\\377")" 2>&1 || true');
      assert.match(refused, /Invalid or incomplete multibyte/);
      tree.put(tree.root, 'b\xff', 'x');
      assert.match(await sh('ls $M 2>&1 || true'), /Invalid or incomplete multibyte/);
      assert.ok(messages.includes('warn: / cannot be listed: the name b\\xff in it is no UTF-8'));
    }));

  it('ends with requests parked, when unmounted by force', () =>
    withNative(async ({ start, tree, binding, mountPoint }) => {
      tree.parking.add('mkdir');
      const child = start('mkdir $M/d');
      await until('the mkdir is parked', () => binding.parked === 1);
      await binding.unmount(true);
      assert.equal(findMountAt(mountPoint), undefined);
      await sleep(20);
      tree.parking.clear();
      binding.resumeParked();
      await child;
      await binding.unmounted;
      assert.equal(binding.parked, 0);
    }));
});
