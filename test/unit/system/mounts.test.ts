import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { decodeDevice, encodeDevice } from '../../../src/core/system/device-numbers.js';
import { closeDevice, mount, openFuseDevice, umount } from '../../../src/core/system/mounting.js';
import { askMount } from '../../../src/core/system/mount-answer.js';
import { otherNamespacesWith } from '../../../src/core/system/mount-namespaces.js';
import { findMountAt, findMountOf, type Mount } from '../../../src/core/system/mounts.js';

describe('device numbers', () => {
  it('are taken apart as they were put together: 12 bits of major, 20 of minor', () => {
    const major = fc.nat({ max: 0xfff });
    const minor = fc.nat({ max: 0xfffff });
    fc.assert(
      fc.property(major, minor, (a, b) => {
        assert.deepEqual(decodeDevice(encodeDevice(a, b)), { major: a, minor: b });
      }),
    );
  });

  it('are those of the kernel', () => {
    assert.deepEqual(decodeDevice(statSync('/dev/null').rdev), { major: 1, minor: 3 });
  });
});

describe('mounts', () => {
  it('of what is no block device are none', () => {
    assert.equal(findMountOf('/dev/null'), undefined);
    assert.equal(findMountOf('/no such device'), undefined);
  });

  it('whose server does not answer are silent, and those whose server is gone are dead', async () => {
    const path = mkdtempSync(join(tmpdir(), 'izo dead-'));
    const fd = openFuseDevice();
    try {
      assert.equal(await askMount(path), 'answers');
      const data = `fd=${fd},rootmode=40000,user_id=0,group_id=0`;
      assert.equal(mount('izo', path, 'fuse.izo-test', 0, data), 0);
      assert.equal(findMountAt(path)?.type, 'fuse.izo-test');
      assert.equal(await askMount(path, 100), 'silent');
      closeDevice(fd);
      assert.equal(await askMount(path), 'dead');
    } finally {
      await umount(path, 'lazy');
      rmdirSync(path);
    }
    assert.equal(await askMount(path), 'answers');
  });

  it('are found in other mount namespaces, by one process of each', async () => {
    const isRoot = ({ mountPoint }: Mount) => mountPoint === '/';
    const before = otherNamespacesWith(isRoot).map(({ pid }) => pid);
    const child = spawn('unshare', ['--mount', 'cat'], { stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      while (readFileSync(`/proc/${child.pid}/comm`, 'latin1') !== 'cat\n') await sleep(5);
      const others = otherNamespacesWith(isRoot).filter(({ pid }) => !before.includes(pid));
      assert.ok(others.some((each) => each.pid === child.pid && each.command === 'cat'));
      assert.ok(!otherNamespacesWith(() => false).some(({ pid }) => pid === child.pid));
    } finally {
      child.kill('SIGKILL');
    }
  });
});
