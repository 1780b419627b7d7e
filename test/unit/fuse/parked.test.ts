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
