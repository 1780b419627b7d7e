import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFstabEntry, listFstabEntries } from '../../../src/core/config/index.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { errorOf, fixtures, temporaryDirectories } from './support.js';

const TEXT = `# /etc/fstab
UUID=1234 / ext4 errors=remount-ro 0 1

/srv/my\\040cache  /mnt/my\\040izo/  InterMezzo  loop,fileset=shared,noauto  0 0
\t/dev/hda9 /izo0 intermezzo fileset=one,mtpt=/izo0 0 0
/dev/hda10 /izo1 izo filset=two 0 0
/dev/hda11 /izo2 izo
/dev/hda12 /data ext4 defaults 0 0
incomplete line
`;

describe('fstab', () => {
  const directory = temporaryDirectories();
  let file = '';
  beforeEach(() => {
    file = join(directory(), 'fstab');
    writeFileSync(file, TEXT);
  });

  it('finds an entry by mount point, octal escapes undone, slashes at the end ignored', () => {
    const entry = findFstabEntry('/mnt/my izo', file);
    assert.equal(entry.spec, '/srv/my cache');
    assert.equal(entry.mountOptions.fileset, 'shared');
    assert.deepEqual(entry.place, { file, line: 4, column: 1 });
  });

  it('finds an entry by device', () => {
    const entry = findFstabEntry('/dev/hda9', file);
    assert.equal(entry.mountPoint, '/izo0');
    assert.deepEqual(entry.place, { file, line: 5, column: 2 });
  });

  it('an entry without options has the default ones', () => {
    assert.equal(findFstabEntry('/izo2', file).mountOptions.loop, false);
  });

  it('tells the line of a misspelt option', () => {
    const error = errorOf(() => findFstabEntry('/izo1', file));
    assert.equal(error.code, 'unknown-option');
    assert.equal(error.place?.line, 6);
  });

  it('tells of an entry that is not of InterMezzo, and of those that are', () => {
    const other = errorOf(() => findFstabEntry('/data', file));
    assert.equal(other.code, 'fstab-no-entry');
    assert.equal(other.place?.line, 8);
    const none = errorOf(() => findFstabEntry('/nowhere', file));
    assert.equal(none.code, 'fstab-no-entry');
    assert.match(none.remedy ?? '', /`\/izo0`, `\/izo1` and `\/izo2`/);
  });

  it('lists all of InterMezzo, the one with a mistake as the mistake', () => {
    const listed = listFstabEntries(file);
    assert.deepEqual(
      listed.map((each) => (each instanceof IzoError ? each.code : each.mountPoint)),
      ['/mnt/my izo/', '/izo0', 'unknown-option', '/izo2'],
    );
  });

  it('takes the HOWTO lines with blanks after commas', () => {
    const aliased = join(fixtures, 'aliased/fstab');
    assert.equal(findFstabEntry('/izo1', aliased).mountOptions.prestodev, '/dev/intermezzo1');
    const { mountOptions } = findFstabEntry('/tmp/fs0', aliased);
    assert.deepEqual([mountOptions.mtpt, mountOptions.cacheType], ['/izo0', 'ext3']);
  });

  it('says that the HOWTO line with a line break must be joined', () => {
    const error = errorOf(() => findFstabEntry('/izo0', join(fixtures, 'one-client/fstab')));
    assert.equal(error.code, 'fstab-wrapped');
    assert.equal(error.place?.line, 1);
  });

  it('a missing fstab is told', () => {
    assert.equal(errorOf(() => findFstabEntry('/izo0', '/nowhere/fstab')).code, 'fstab-unreadable');
  });
});
