import assert from 'node:assert/strict';
import { NO_EPOCH, NO_STRETCH } from '../../../src/core/model/position.js';
import {
  hasLost,
  isGivenBack,
  judgeClaim,
  type Claim,
  type Surroundings,
} from '../../../src/core/replication/lost-tail.js';

describe('where a log begins for a peer', () => {
  /** A log with the records 1 to 3 and 9, of which 3 and 9 have the checksums 33 and 99: a crash has lost 4 to 8. */
  const before4 = { before: 3, checksum: 33, next: 9 };
  const end = { before: 9, checksum: 99, next: 10 };
  const epochs = [
    { id: 70, from: 1, after: 0 },
    { id: 71, from: 9, after: 3 },
  ];
  const nothing = { checksum: 0, stretch: NO_STRETCH, epoch: NO_EPOCH };
  const judge = (claim: Partial<Claim> & { expected: number }, around?: Surroundings) =>
    judgeClaim({ ...nothing, ...claim }, around, 9, epochs);

  it('is where the peer has it until, if the histories are the same', () => {
    assert.deepEqual(judge({ expected: 10, checksum: 99 }, end), { intact: 9, resumes: 10 });
    assert.deepEqual(judge({ expected: 4, checksum: 33 }, before4), { intact: 3, resumes: 9 });
    assert.equal(judge({ expected: 10, checksum: 98, epoch: 71 }, end), 'other');
    assert.equal(judge({ expected: 4, checksum: 34, epoch: 70 }, before4), 'other');
  });

  it('is what is known where the peer does not know the checksum', () => {
    assert.deepEqual(judge({ expected: 10 }, end), { intact: 9, resumes: 10 });
    const begin = { before: 0, checksum: 0, next: 1 };
    assert.deepEqual(judge({ expected: 1 }, begin), { intact: 0, resumes: 1 });
  });

  it('leaves out what was lost: numbers that no record has', () => {
    const begin = judge({ expected: 7, checksum: 66, epoch: 70 }, before4);
    assert.ok(typeof begin === 'object');
    assert.deepEqual(begin, { intact: 3, resumes: 9 });
    assert.equal(hasLost(7, begin), true);
    const given = [3, 4, 6, 7, 9].filter((recno) => isGivenBack(recno, 7, begin));
    assert.deepEqual(given, [4, 6]);
  });

  it('takes nothing for lost that may be another history', () => {
    // Put back from a backup of record 3, it went on to 4, and lost 5 to 8 in a crash: the peer knows other ones.
    const around = { before: 4, checksum: 44, next: 9 };
    const restored = [
      { id: 70, from: 1, after: 0 },
      { id: 80, from: 4, after: 3 },
      { id: 81, from: 9, after: 4 },
    ];
    const claim = { ...nothing, expected: 7, checksum: 66 };
    for (const epoch of [70, 71, NO_EPOCH]) {
      assert.equal(judgeClaim({ ...claim, epoch }, around, 9, restored), 'other');
    }
    const since = judgeClaim({ ...claim, epoch: 80 }, around, 9, restored);
    assert.deepEqual(since, { intact: 4, resumes: 9 });
  });

  it('has lost nothing where only numbers are left out', () => {
    const begin = judge({ expected: 4, checksum: 33 }, before4);
    assert.ok(typeof begin === 'object');
    assert.equal(hasLost(4, begin), false);
    assert.equal(isGivenBack(3, 4, begin), false);
    assert.equal(isGivenBack(4, 4, begin), false);
  });

  it('is nowhere where the peer has seen numbers that were never given', () => {
    assert.equal(judge({ expected: 11, checksum: 1, epoch: 71 }, end), 'restored');
  });

  it('is before what was trimmed only for who is known to have the same history', () => {
    assert.equal(judge({ expected: 2, checksum: 11, epoch: 70 }), 'trimmed');
    assert.equal(judge({ expected: 4, checksum: 33, epoch: 70 }), 'trimmed');
    assert.equal(judge({ expected: 5, checksum: 44, epoch: 70 }), 'lost');
    assert.equal(judge({ expected: 9, checksum: 88, epoch: 70 }), 'lost');
    assert.equal(judge({ expected: 10, checksum: 66, epoch: 71 }), 'trimmed');
    assert.equal(judge({ expected: 10, checksum: 66, epoch: 70 }), 'unproven');
    assert.equal(judge({ expected: 7, checksum: 66, epoch: 72 }), 'unproven');
    assert.equal(judge({ expected: 7, checksum: 66 }), 'unproven');
    assert.equal(judge({ expected: 1 }), 'trimmed', 'who has nothing has nothing else');
  });

  it('is in the middle of a stretch only for who is known to have the begin of the same', () => {
    const around = { before: 2, checksum: 22, next: 3 };
    const middle = { expected: 3, checksum: 21, stretch: { from: 1, to: 3 } };
    assert.deepEqual(judge({ ...middle, epoch: 70 }, around), { intact: 2, resumes: 3 });
    assert.equal(judge({ ...middle, epoch: 72 }, around), 'other');
    assert.equal(judge(middle, around), 'other');
    const beyond = { ...middle, stretch: { from: 1, to: 10 } };
    assert.equal(judge({ ...beyond, epoch: 71 }, around), 'restored');
    const later = { ...middle, stretch: { from: 1, to: 9 } };
    assert.equal(judge({ ...later, epoch: 70 }, around), 'other', 'the stretch is of another end');
  });
});
