import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { S_IFDIR } from '../../../src/core/system/attr.js';
import { until, withMount } from '../../support/fuse/mounted-tree.js';

/** Whether this machine lets us mount: root, and /dev/fuse. */
function canMount(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

const RENAME_EXCHANGE = 2;

/** Words for perl, whose own rename knows no flags. */
function renameat2(from: string, to: string, flags: number): string {
  const number = process.arch === 'x64' ? 316 : 276;
  return `my ($from, $to) = qw(${from} ${to}); syscall(${number}, -100, $from, -100, $to, ${flags}) and die $!`;
}

describe('FUSE over /dev/fuse', function () {
  this.timeout(30_000);
  this.slow(2_000);

  before(function () {
    if (!canMount()) this.skip();
  });

  it('serves files, and shows up in /proc/mounts', () =>
    withMount(async ({ sh, tree, mountPoint }) => {
      const mounts = await sh(`grep " ${mountPoint} " /proc/mounts`);
      assert.match(mounts, /^izo-test .* fuse\.InterMezzo rw,.*default_permissions,allow_other/);
      await sh('echo hello > $M/a; chmod 640 $M/a; echo more >> $M/a; truncate -s 8 $M/a');
      assert.equal(tree.at('a').text(), 'hello\nmo');
      assert.equal(await sh('cat $M/a; stat -c "%s %a %h" $M/a'), 'hello\nmo8 640 1');
      await sh('ln $M/a $M/b; rm $M/a; touch -d "1960-05-04 03:02:01.123456789Z" $M/b');
      assert.equal(
        await sh('TZ=UTC stat -c "%h %y" $M/b'),
        '1 1960-05-04 03:02:01.123456789 +0000',
      );
      assert.equal(await sh('fallocate -l 100 $M/b && stat -c %s $M/b'), '100');
      const df = await sh('stat -f -c "%s %b %f %l" $M');
      assert.equal(df, '4096 5000000000 4000000000 255');
    }));

  it('serves directories, renames, symbolic links and special files', () =>
    withMount(async ({ sh, tree }) => {
      await sh('mkdir -p $M/d/e; echo x > $M/d/e/f; mv $M/d/e/f $M/d/g; rmdir $M/d/e');
      assert.deepEqual([...tree.at('d').names.keys()], ['g']);
      await sh('ln -s d/g $M/link; test "$(cat $M/link)" = x');
      assert.equal(await sh('readlink $M/link'), 'd/g');
      await sh('mknod $M/null c 1 3; mknod $M/big b 259 70000; mkfifo $M/fifo');
      assert.equal(
        await sh('stat -c "%F %t:%T" $M/null $M/big'),
        ['character special file 1:3', 'block special file 103:11170'].join('\n'),
      );
      assert.equal(await sh('mv -n $M/d/g $M/null; ls $M/d'), 'g');
    }));

  it('is asked again for the attributes of what was linked or changed: a peer may have been faster than the answer', () =>
    withMount(async ({ sh, tree }) => {
      const asked = () => tree.calls.get('getattr') ?? 0;
      await sh('echo one > $M/a; stat $M/a');
      for (const change of ['ln $M/a $M/b', 'chmod 600 $M/a', 'touch -d @1 $M/a']) {
        await sh(`${change}; stat $M`);
        const before = asked();
        await sh('stat $M/a');
        assert.equal(asked(), before + 1, change);
        await sh('stat $M/a');
        assert.equal(asked(), before + 1, 'and remembers what it was told then');
      }
    }));

  it('keeps names as bytes', () =>
    withMount(async ({ sh, tree }) => {
      await sh(`touch "$M/$(printf 'g\\303\\266\\377')"`);
      assert.deepEqual([...tree.root.names.keys()], ['g\xc3\xb6\xff']);
      await sh(`test -e "$M/$(printf 'g\\303\\266\\377')"`);
    }));

  it('lists a directory of 3,000 entries with and without attributes', () =>
    withMount(async ({ sh, tree }) => {
      for (let i = 0; i < 3000; i++) tree.put(tree.root, `file-${i}`, `${i}`);
      assert.equal(await sh('ls -l $M | grep -c file-'), '3000');
      assert.equal(await sh('ls -U $M | sort -u | wc -l'), '3000');
      assert.equal(await sh('cat $M/file-2999'), '2999');
      await sh('rm $M/file-*; test -z "$(ls $M)"');
    }));

  it('carries extended attributes', () =>
    withMount(async ({ sh, tree }) => {
      tree.put(tree.root, 'a', '').xattrs.set('user.empty', Buffer.alloc(0));
      // Node has no calls for them, and setfattr(1) is not everywhere.
      const system = new URL('../../../src/core/system/', import.meta.url).pathname;
      const script = `
        import { openSync } from 'node:fs';
        import { Memory } from '${system}native.ts';
        import * as x from '${system}xattrs.ts';
        const fd = openSync(process.argv[1], 'r');
        const memory = new Memory(70000);
        const text = (n) => n < 0 ? n : memory.buffer.toString('latin1', 0, n);
        console.log(JSON.stringify([
          x.setxattrAt(fd, '', 'user.big', Buffer.alloc(60000, 'v')),
          x.getxattrAt(fd, '', 'user.big', memory.address, 0),
          text(x.getxattrAt(fd, '', 'user.big', memory.address, 70000)) === 'v'.repeat(60000),
          x.getxattrAt(fd, '', 'user.big', memory.address, 10),
          text(x.listxattrAt(fd, '', memory.address, 1000)),
          x.removexattrAt(fd, '', 'user.empty'),
          x.getxattrAt(fd, '', 'user.empty', memory.address, 10),
        ]));`;
      const tsx = `--import ${import.meta.resolve('tsx')}`;
      const printed = await sh(`${process.execPath} ${tsx} --input-type=module -e "$(cat <<'END'
${script}
END
)" $M/a`);
      const names = 'user.empty\0user.big\0';
      assert.deepEqual(JSON.parse(printed), [0, 60000, true, -34, names, 0, -61]);
    }));

  it('moves big contents unharmed', () =>
    withMount(async ({ sh, tree }) => {
      await sh(`f=$(mktemp); trap 'rm $f' EXIT; head -c 3145733 /dev/urandom > $f
        cat $f > $M/big; cmp $f $M/big
        echo 3 > /proc/sys/vm/drop_caches; dd if=$M/big bs=1M status=none | cmp $f
        dd if=$f of=$M/odd bs=65537 status=none; cmp $f $M/odd`);
      assert.equal(tree.at('big').size, 3_145_733);
      const before = tree.calls.get('write') ?? 0;
      await sh('dd if=/dev/zero of=$M/zeros bs=4M count=1 status=none');
      assert.equal((tree.calls.get('write') ?? 0) - before, 4, 'in requests of 1 MiB');
    }));

  it('lets the kernel remember that a name does not exist until it is told', () =>
    withMount(async ({ sh, tree, binding }) => {
      await sh('! test -e $M/new; ! test -e $M/new');
      assert.equal(tree.calls.get('lookup'), 1);
      tree.put(tree.root, 'new', 'text');
      await sh('! test -e $M/new');
      binding.invalidateEntry(1, 'new');
      binding.invalidateNode(1, false);
      await binding.invalidated(5_000);
      assert.equal(await sh('cat $M/new'), 'text');
    }));

  it('lets the kernel keep contents until it is told', () =>
    withMount(async ({ sh, tree, binding }) => {
      const node = tree.put(tree.root, 'a', 'before');
      assert.equal(await sh('cat $M/a'), 'before');
      node.setText('behind');
      assert.equal(await sh('cat $M/a'), 'before');
      node.setText('afterwards');
      binding.invalidateNode(node.id, true);
      // What the kernel does not know is no error.
      binding.invalidateNode(123_456, true);
      binding.invalidateEntry(node.id, 'nothing');
      await binding.invalidated(5_000);
      assert.equal(await sh('cat $M/a; stat -c " %s" $M/a'), 'afterwards 10');
    }));

  it('parks a request and presents it again, while others go on', () =>
    withMount(async ({ sh, start, tree, binding }) => {
      tree.parking.add('mkdir');
      const child = start('mkdir $M/parked && echo made');
      await until('the mkdir is parked', () => binding.parked === 1);
      tree.put(tree.root, 'other', 'readable');
      // A cached or new name in a locked directory would wait; one known by node does not.
      assert.equal(await sh('stat -c %F $M'), 'directory');
      binding.resumeParked();
      assert.equal(binding.parked, 1);
      tree.parking.clear();
      binding.resumeParked();
      assert.equal(binding.parked, 0);
      assert.equal((await child).stdout, 'made');
      assert.equal(tree.at('parked').mode, S_IFDIR | 0o755);
    }));

  for (const [how, flags] of [
    ['', 0],
    ['that swaps ', RENAME_EXCHANGE],
  ] as const) {
    it(`shows what a parked rename ${how}has moved, not what was there when it was asked for`, () =>
      withMount(async ({ sh, start, tree, binding }) => {
        tree.put(tree.root, 'a', 'old a');
        tree.put(tree.root, 'b', 'old b');
        assert.equal(await sh('cat $M/a $M/b'), 'old aold b');
        tree.parking.add('rename');
        const read = 'open(my $f, "<", "b"); print <$f>';
        const child = start(`cd $M; perl -e '${renameat2('a', 'b', flags)}; ${read}'`);
        await until('the rename is parked', () => binding.parked === 1);
        const changed = flags === 0 ? 'a' : 'b';
        tree.put(tree.root, changed, `new ${changed}`);
        binding.invalidateEntry(tree.root.id, changed);
        const lookups = () => tree.calls.get('lookup') ?? 0;
        const before = lookups();
        const rename = tree.rename.bind(tree);
        let lookedUp = 0;
        tree.rename = (...args) => {
          lookedUp = lookups() - before;
          return rename(...args);
        };
        tree.parking.clear();
        binding.resumeParked();
        const { exitCode, stdout } = await child;
        assert.equal(exitCode, 0);
        // By the very program, at once: to be told afterwards would be too late for that.
        assert.equal(stdout, flags === 0 ? 'new a' : 'old a');
        assert.ok(lookedUp > 0, 'the kernel has not looked again for what it renames');
        await binding.invalidated(5_000);
        const moved = flags === 0 ? 'new a' : 'old anew b';
        assert.equal(await sh('cd $M; cat b; [ ! -e a ] || cat a'), moved);
      }));
  }

  it('presents the contents of a parked write unharmed', () =>
    withMount(async ({ start, tree, binding }) => {
      tree.parking.add('write');
      const child = start('printf first > $M/a & printf second > $M/b & wait');
      await until('both writes are parked', () => binding.parked === 2);
      tree.parking.clear();
      binding.resumeParked();
      assert.equal((await child).exitCode, 0);
      assert.deepEqual([tree.at('a').text(), tree.at('b').text()], ['first', 'second']);
    }));

  it('resumes from inside an operation, in the order of arrival', () =>
    withMount(async ({ sh, start, tree, binding }) => {
      await sh('mkdir $M/one $M/two $M/three');
      tree.parking.add('create');
      const children = [];
      for (const [index, name] of ['one', 'two', 'three'].entries()) {
        children.push(start(`touch $M/${name}/file`));
        await until(`${name} waits`, () => binding.parked === index + 1);
      }
      const made: number[] = [];
      tree.onCall = (operation) => {
        if (operation === 'getattr') {
          tree.parking.clear();
          binding.resumeParked();
          assert.equal(binding.parked, 3, 'not before this request is answered');
        }
        if (operation === 'create') made.push(binding.parked);
      };
      binding.invalidateNode(1, false);
      await binding.invalidated(5_000);
      await sh('stat $M');
      for (const child of children) assert.equal((await child).exitCode, 0);
      assert.equal(made.length, 3);
      const ids = ['one', 'two', 'three'].map((name) => tree.at(`${name}/file`).id);
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
    }));

  it('drops a parked request whose program is killed', () =>
    withMount(async ({ sh, start, tree, binding, messages }) => {
      tree.parking.add('mkdir');
      const child = start('exec mkdir $M/never');
      await until('the mkdir is parked', () => binding.parked === 1);
      child.kill('SIGTERM');
      assert.equal((await child).signal, 'SIGTERM');
      await until('nothing is parked', () => binding.parked === 0);
      tree.parking.clear();
      assert.equal(await sh('mkdir $M/later; ls $M'), 'later');
      assert.deepEqual(
        messages.filter((message) => !message.startsWith('info')),
        [],
      );
    }));

  it('stops reading when too much is parked, and loses nothing', () =>
    withMount(async ({ sh, start, tree, binding }) => {
      await sh('for i in $(seq 1100); do mkdir $M/$i; done');
      tree.parking.add('create');
      const child = start('for i in $(seq 1100); do : > $M/$i/file & done; wait');
      await until('parking is full', () => binding.parked === 1024);
      await sleep(200);
      assert.equal(binding.parked, 1024);
      tree.parking.clear();
      binding.resumeParked();
      assert.equal((await child).exitCode, 0);
      for (let i = 1; i <= 1100; i++) assert.equal(tree.at(`${i}/file`).size, 0);
    }));

  it('notices that it is unmounted while it does not read', () =>
    withMount(async ({ sh, start, tree, binding }) => {
      await sh('for i in $(seq 1030); do mkdir $M/$i; done');
      tree.parking.add('create');
      const child = start('for i in $(seq 1030); do : > $M/$i/file & done; wait');
      await until('parking is full', () => binding.parked === 1024);
      await sh('umount -f $M || umount -l $M');
      await child;
      await binding.unmounted;
    }));

  it('is not held up by an invalidation in the directory of a parked create', () =>
    withMount(async ({ sh, start, tree, binding }) => {
      const other = tree.put(tree.root, 'other', 'before');
      await sh('! test -e $M/new; cat $M/other');
      tree.parking.add('create');
      const child = start('echo text > $M/new');
      await until('the create is parked', () => binding.parked === 1);
      for (let i = 0; i < 20; i++) binding.invalidateEntry(1, `name-${i}`);
      tree.put(tree.root, 'sister', 'text');
      binding.invalidateEntry(1, 'sister');
      other.setText('afterwards');
      binding.invalidateNode(other.id, true);
      const began = performance.now();
      await binding.invalidated(5_000);
      assert.ok(performance.now() - began < 1_000, 'what cannot be done yet is not waited for');
      assert.equal(await sh('cat $M/other'), 'afterwards');
      tree.parking.clear();
      binding.resumeParked();
      assert.equal((await child).exitCode, 0);
      await binding.invalidated(5_000);
      assert.equal(await sh('cat $M/sister $M/new'), 'texttext');
    }));

  it('survives an invalidation that the kernel already waits with when a create parks', () =>
    withMount(async ({ sh, start, tree, binding }) => {
      tree.parking.add('create');
      // Told just before the create comes to us: the write waits in the kernel, on a thread of the pool.
      tree.onCall = (operation) => {
        if (operation === 'create') binding.invalidateEntry(1, 'anything');
      };
      const child = start(': > $M/new');
      await until('the create is parked', () => binding.parked === 1);
      await binding.invalidated(200);
      assert.equal(await sh('stat -c %F $M'), 'directory');
      tree.onCall = () => undefined;
      tree.parking.clear();
      binding.resumeParked();
      assert.equal((await child).exitCode, 0);
      await binding.invalidated(5_000);
    }));

  it('answers EIO where an operation throws, says why, and goes on', () =>
    withMount(async ({ sh, start, tree, messages }) => {
      tree.throwing.add('mkdir');
      const failed = await start('mkdir $M/d');
      assert.match(failed.stderr, /Input\/output error/);
      assert.match(messages.join('\n'), /error: .*mkdir was told to throw/);
      tree.throwing.clear();
      await sh('mkdir $M/d');
    }));

  it('takes set-id bits off a program that somebody else writes to', () =>
    withMount(async ({ sh, tree }) => {
      const asNobody = (command: string) =>
        sh(`setpriv --reuid 65534 --regid 65534 --clear-groups sh -ec '${command}'`);
      await sh('echo x > $M/p; echo x > $M/q; echo x > $M/r; chmod 6777 $M/?; chmod 2767 $M/r');
      await asNobody('echo y >> $M/p; : > $M/q; echo y >> $M/r');
      assert.equal(await sh('stat -c %a $M/p $M/q $M/r'), '777\n777\n767');
      await sh('chmod 6755 $M/p; echo y >> $M/p; test $(stat -c %a $M/p) = 6755; chown 5 $M/p');
      assert.equal(await sh('stat -c "%a %u" $M/p'), '755 5');
      assert.equal(tree.at('p').uid, 5);
    }));

  it('gets back all lookups it has given', () =>
    withMount(async ({ sh, tree }) => {
      await sh('mkdir $M/d; for i in $(seq 50); do echo x > $M/d/$i; done; ls -l $M/d; cat $M/d/7');
      assert.ok(tree.lookups > 50);
      await sh('echo 2 > /proc/sys/vm/drop_caches');
      await until('the kernel has forgotten', () => tree.lookups === 0);
      assert.equal(tree.opened, 0);
    }));

  it('ends when it is unmounted', () =>
    withMount(async ({ sh, start, tree, binding, mountPoint, messages }) => {
      tree.parking.add('mkdir');
      const child = start('mkdir $M/d');
      await until('the mkdir is parked', () => binding.parked === 1);
      await assert.rejects(binding.unmount(false), { code: 'EBUSY' });
      await sh('umount -f $M || umount -l $M');
      await binding.unmounted;
      assert.notEqual((await child).exitCode, 0);
      assert.equal(binding.parked, 0);
      binding.invalidateEntry(1, 'x');
      await binding.invalidated(1_000);
      assert.equal(await sh(`grep -c " ${mountPoint} " /proc/mounts || true`), '0');
      assert.deepEqual(
        messages.filter((message) => !message.startsWith('info')),
        [],
      );
    }));

  it('can be unmounted before it is served', async () => {
    await withMount(async ({ binding }) => {
      await binding.unmount(false);
      await binding.unmounted;
    });
  });
});
