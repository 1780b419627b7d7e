import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { until, withMount } from '../../support/fuse/mounted-tree.js';

describe('a request that waits', () => {
  it('leaves a parked request alone whose program gets a signal that does not end it', () =>
    withMount(async ({ start, tree, binding }) => {
      tree.parking.add('mkdir');
      const script = '$SIG{USR1} = sub { $n++ }; mkdir "$ENV{M}/late" or die "$!"; print "made $n"';
      const child = start(`exec perl -e '${script}'`);
      await until('the mkdir is parked', () => binding.parked === 1);
      child.kill('SIGUSR1');
      await sleep(600);
      assert.equal(binding.parked, 1);
      tree.parking.clear();
      binding.resumeParked();
      assert.equal((await child).stdout, 'made 1');
    }));

  it('may be the rename of a directory that has come to its name, and that the kernel knows by another', () =>
    withMount(async ({ sh, start, tree, binding }) => {
      await sh('mkdir -p $M/a $M/other/c $M/sub; echo x > $M/other/c/x; ls $M/a $M/other/c $M/sub');
      tree.parking.add('rename');
      const child = start('perl -e \'rename("$ENV{M}/a", "$ENV{M}/sub/b") or die $!\'');
      await until('the rename is parked', () => binding.parked === 1);
      const other = tree.at('other');
      tree.root.names.set('a', tree.at('other/c'));
      other.names.delete('c');
      binding.invalidateEntry(tree.root.id, 'a');
      tree.parking.clear();
      binding.resumeParked();
      const { exitCode, stderr } = await child;
      assert.equal(exitCode, 0, stderr);
      binding.invalidateEntry(other.id, 'c');
      await binding.invalidated(5_000);
      assert.equal(await sh('cat $M/sub/b/x; ls $M'), 'x\nother\nsub');
    }));

  it('gives a parked request up for a program that is asked to end, also after another signal', () =>
    withMount(async ({ start, tree, binding }) => {
      tree.parking.add('mkdir');
      const handlers = '$SIG{USR1} = sub {}; $SIG{TERM} = sub {};';
      const child = start(`exec perl -e '${handlers} mkdir "$ENV{M}/late" or print "$!"'`);
      await until('the mkdir is parked', () => binding.parked === 1);
      child.kill('SIGUSR1');
      await sleep(100);
      child.kill('SIGTERM');
      await until('nothing is parked', () => binding.parked === 0);
      assert.equal((await child).stdout, 'Interrupted system call');
    }));
});
