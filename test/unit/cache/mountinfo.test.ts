import assert from 'node:assert/strict';
import { findMountAt, listMounts, parseMountinfo } from '../../../src/core/system/mounts.js';

const LINE =
  '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext4 /dev/root rw,nodelalloc,errors=continue';

describe('mountinfo', () => {
  it('is read field by field, with any number of optional fields', () => {
    const [mount] = parseMountinfo(LINE);
    assert.deepEqual(mount, {
      device: '98:0',
      mountPoint: '/mnt2',
      type: 'ext4',
      source: '/dev/root',
      options: ['rw', 'noatime', 'rw', 'nodelalloc', 'errors=continue'],
    });
    const [bare] = parseMountinfo('45 27 7:0 / /a rw - ext3 /dev/loop0 rw');
    assert.equal(bare?.type, 'ext3');
    assert.equal(bare.mountPoint, '/a');
  });

  it('has blanks, tabs, line ends and backslashes as octal escapes', () => {
    const text = String.raw`45 27 7:0 / /a\040b\011c\012d\134040e rw - ext3 /dev/my\040disk rw`;
    const [mount] = parseMountinfo(text);
    assert.equal(mount?.mountPoint, '/a b\tc\nd\\040e');
    assert.equal(mount.source, '/dev/my disk');
  });

  it('keeps names that are not ASCII', () => {
    const line = '45 27 7:0 / /mnt/größe\\040ü rw - ext3 /dev/loop0 rw';
    const [mount] = parseMountinfo(Buffer.from(line, 'utf8').toString('latin1'));
    assert.equal(mount?.mountPoint, '/mnt/größe ü');
  });

  it('leaves out what it cannot understand', () => {
    assert.deepEqual(parseMountinfo(''), []);
    assert.deepEqual(parseMountinfo('\n\nnonsense\n'), []);
    assert.equal(parseMountinfo(`nonsense\n${LINE}\n`).length, 1);
  });

  it('finds a hyphen of the mount point no separator', () => {
    const [mount] = parseMountinfo('45 27 7:0 / /a-b rw - ext3 /dev/x-y rw');
    assert.equal(mount?.mountPoint, '/a-b');
    assert.equal(mount.source, '/dev/x-y');
  });

  it('of this process has a root', () => {
    assert.equal(findMountAt('/')?.mountPoint, '/');
    assert.ok(listMounts().length > 0);
    assert.equal(findMountAt('/no such mount'), undefined);
  });
});
