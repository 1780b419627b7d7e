import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LastRcvd, type PeerProgress } from '../../../src/core/journal/index.js';
import { isWithin, NO_EPOCH, NO_STRETCH } from '../../../src/core/model/position.js';
import { E } from '../../../src/core/system/errno.js';
import { FaultyDisk, LOG_ID, Scratch } from './support.js';

const NEW: PeerProgress = {
  ...{ peer: 5, expected: 1, checksum: 0, nextToSend: 1 },
  stretch: NO_STRETCH,
  epoch: NO_EPOCH,
};

describe('LastRcvd', () => {
  let scratch: Scratch;
  let fd: number;
  beforeEach(() => {
    scratch = new Scratch();
    fd = scratch.open('last_rcvd', 'w+');
    LastRcvd.format(fd, LOG_ID);
  });
  afterEach(() => {
    scratch.done();
  });

  it('knows nothing of a peer it never heard of', () => {
    const table = LastRcvd.open(fd, LOG_ID);
    assert.equal(table.get(1), undefined);
    assert.deepEqual(table.peers(), []);
  });

  it('survives reopening, whatever was set', () => {
    const peer = fc.constantFrom(1, 2, 3, 2 ** 48 - 1);
    const recno = fc.integer({ min: 1, max: 2 ** 53 - 2 });
    const step = fc.record({
      peer,
      recno,
      what: fc.constantFrom('expected', 'acknowledged', 'agreed', 'forget', 'reopen'),
      checksum: fc.nat({ max: 2 ** 32 - 1 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        LastRcvd.format(fd, LOG_ID);
        let table = LastRcvd.open(fd, LOG_ID);
        for (const { peer: known } of table.peers()) table.forget(known);
        const model = new Map<number, PeerProgress>();
        for (const { peer, recno, what, checksum } of steps) {
          const old = { ...NEW, peer, ...model.get(peer) };
          if (what === 'expected') {
            // One that is over, one in the middle of which that is, and what was said before.
            const stretches = [
              { from: recno, to: recno + 1 },
              { from: recno - 1, to: recno },
            ];
            const given = stretches[checksum % 3];
            assert.equal(table.setExpected(peer, recno, checksum, given), 0);
            const current = given ?? old.stretch;
            const stretch = isWithin(current, recno) ? current : NO_STRETCH;
            model.set(peer, { ...old, expected: recno, checksum, stretch });
          } else if (what === 'acknowledged') {
            assert.equal(table.setAcknowledged(peer, recno), 0);
            model.set(peer, { ...old, nextToSend: recno + 1 });
          } else if (what === 'agreed') {
            assert.equal(table.setEpoch(peer, recno), 0);
            model.set(peer, { ...old, epoch: recno });
          } else if (what === 'forget') {
            assert.equal(table.forget(peer), 0);
            model.delete(peer);
          } else table = LastRcvd.open(fd, LOG_ID);
        }
        for (const opened of [table, LastRcvd.open(fd, LOG_ID)]) {
          assert.equal(opened.peers().length, model.size);
          for (const [peer, progress] of model) assert.deepEqual(opened.get(peer), progress);
        }
        assert.ok(scratch.read('last_rcvd').length <= 64 * 5);
      }),
    );
  });

  it('is as before when the disk refuses', () => {
    const disk = new FaultyDisk();
    const table = LastRcvd.open(fd, LOG_ID, disk);
    table.setExpected(5, 10, 77);
    disk.failing.set('lastRcvd.set', { errno: E.EIO });
    assert.equal(table.setExpected(5, 11, 78), -E.EIO);
    assert.equal(table.setExpected(6, 2, 1), -E.EIO);
    assert.equal(table.forget(5), -E.EIO);
    assert.deepEqual(table.peers(), [{ ...NEW, expected: 10, checksum: 77 }]);
    disk.failing.clear();
    assert.deepEqual(LastRcvd.open(fd, LOG_ID).peers(), table.peers());
  });

  it('forgets a slot that cannot be read, and uses it again', () => {
    const table = LastRcvd.open(fd, LOG_ID);
    table.setExpected(5, 10, 77);
    table.setExpected(6, 20, 78);
    const bytes = scratch.read('last_rcvd');
    bytes[64 + 8] = 11;
    scratch.write('last_rcvd', bytes);
    const again = LastRcvd.open(fd, LOG_ID);
    assert.equal(again.get(5), undefined);
    assert.equal(again.get(6)?.expected, 20);
    again.setExpected(7, 1, 0);
    assert.equal(scratch.read('last_rcvd').length, bytes.length);
  });

  it('forgets what was acknowledged when the log is another one', () => {
    const table = LastRcvd.open(fd, LOG_ID);
    table.setExpected(5, 10, 77);
    table.setAcknowledged(5, 30);
    const expected = { ...NEW, expected: 10, checksum: 77 };
    assert.deepEqual(LastRcvd.open(fd, LOG_ID + 1).get(5), expected);
    assert.deepEqual(LastRcvd.open(fd, LOG_ID + 1).get(5), expected);
  });
});
