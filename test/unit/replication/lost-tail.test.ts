import assert from 'node:assert/strict';
import { hasLost, isGivenBack, judgePosition } from '../../../src/core/replication/lost-tail.js';

describe('where a log begins for a peer', () => {
  /** A log with the records 1 to 3 and 9, of which 3 and 9 have the checksums 33 and 99. */
  const before4 = { before: 3, checksum: 33, next: 9 };
  const end = { before: 9, checksum: 99, next: 10 };

  it('is where the peer has it until, if the histories are the same', () => {
    assert.deepEqual(judgePosition(10, 99, end), { intact: 9, resumes: 10 });
    assert.deepEqual(judgePosition(4, 33, before4), { intact: 3, resumes: 9 });
    assert.equal(judgePosition(10, 98, end), 'other');
    assert.equal(judgePosition(4, 34, before4), 'other');
  });

  it('is what is known where the peer does not know the checksum', () => {
    assert.deepEqual(judgePosition(10, 0, end), { intact: 9, resumes: 10 });
    const begin = { before: 0, checksum: 0, next: 1 };
    assert.deepEqual(judgePosition(1, 0, begin), { intact: 0, resumes: 1 });
  });

  it('leaves out what was lost: numbers that no record has', () => {
    const begin = judgePosition(7, 66, before4);
    assert.ok(typeof begin === 'object');
    assert.deepEqual(begin, { intact: 3, resumes: 9 });
    assert.equal(hasLost(7, begin), true);
    const given = [3, 4, 6, 7, 9].filter((recno) => isGivenBack(recno, 7, begin));
    assert.deepEqual(given, [4, 6]);
  });

  it('has lost nothing where only numbers are left out', () => {
    const begin = judgePosition(4, 33, before4);
    assert.ok(typeof begin === 'object');
    assert.equal(hasLost(4, begin), false);
    assert.equal(isGivenBack(3, 4, begin), false);
    assert.equal(isGivenBack(4, 4, begin), false);
  });

  it('is nowhere where the peer has seen numbers that were never given', () => {
    assert.equal(judgePosition(11, 1, end), 'restored');
  });
});
