import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { Kml, realDisk, type Disk } from '../../../src/core/journal/index.js';
import { Reserve, RESERVE_BYTES } from '../../../src/core/journal/reserve.js';
import { Opcode } from '../../../src/core/model/records.js';
import { E } from '../../../src/core/system/errno.js';
import { headOf, mkdirOf, Scratch } from './support.js';

const UNLINK = { op: Opcode.UNLINK, path: 'f' } as const;

/** A full disk: what the reserve gives is the room for that many records. */
class FullDisk {
  full = true;
  room = 0;
  readonly disk: Disk = {
    ...realDisk,
    pwrite: (operation, fd, address, length, offset) => {
      // The header is written over itself, which takes no room.
      const grows = operation !== 'kml.header';
      const fits = !this.full || !grows || (operation === 'kml.append' && this.room-- > 0);
      return fits ? realDisk.pwrite(operation, fd, address, length, offset) : -E.ENOSPC;
    },
    ftruncate: (operation, fd, size) => {
      if (operation === 'reserve.give') this.room = 2;
      return realDisk.ftruncate(operation, fd, size);
    },
  };
}

describe('reserve', () => {
  const scratch = new Scratch();
  const opened: number[] = [];
  const size = (): number => scratch.read('reserve').length;
  after(() => {
    for (const fd of opened) closeSync(fd);
    scratch.done();
  });

  it('lets removals be journaled on a full disk, and nothing else, until there is room again', () => {
    const full = new FullDisk();
    full.full = false;
    const reserve = Reserve.open(scratch.directory, full.disk, opened);
    const kml = Kml.open(scratch.newKml(), full.disk, { reserve });
    assert.equal(size(), RESERVE_BYTES);
    full.full = true;
    assert.equal(kml.append(headOf(1), mkdirOf('d')), -E.ENOSPC);
    assert.equal(size(), RESERVE_BYTES);
    let removed = 0;
    while (kml.append(headOf(removed + 1), UNLINK) > 0) removed++;
    assert.ok(removed >= 32, `${removed}`);
    assert.equal(size(), 0);
    assert.equal(kml.end.recno, removed);
    full.full = false;
    assert.equal(kml.append(headOf(removed + 1), mkdirOf('d')), removed + 1);
    assert.equal(size(), RESERVE_BYTES);
  });

  it('is as long as there is room for it', () => {
    scratch.write('reserve', Buffer.alloc(1000));
    const full = new FullDisk();
    const reserve = Reserve.open(scratch.directory, full.disk, opened);
    assert.equal(size(), 1000);
    assert.ok(reserve.give());
    assert.ok(!reserve.give());
  });
});
