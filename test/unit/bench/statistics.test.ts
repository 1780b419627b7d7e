import assert from 'node:assert/strict';
import {
  median,
  pairedRatio,
  pairedRatios,
  quantile,
  spread,
} from '../../../bench/harness/statistics.js';

describe('statistics of the benchmark', () => {
  it('takes the middle one, or the middle of the two in the middle', () => {
    assert.equal(median([3, 1, 100]), 3);
    assert.equal(median([4, 1, 2, 100]), 3);
  });

  it('leaves the samples in the order of the rounds', () => {
    const samples = [3, 1, 2];
    median(samples);
    assert.deepEqual(samples, [3, 1, 2]);
  });

  it('interpolates quantiles', () => {
    assert.equal(quantile([0, 10, 20, 30, 40], 0.25), 10);
    assert.equal(quantile([0, 10], 0.75), 7.5);
    assert.equal(quantile([5], 0.9), 5);
    assert.ok(Number.isNaN(quantile([], 0.5)));
  });

  it('gives the spread of the middle half, which one outlier does not change', () => {
    assert.equal(spread([90, 95, 100, 105, 110]), 0.05);
    assert.equal(spread([90, 95, 100, 105, 1e9]), 0.05);
  });

  it('compares what was measured in the same round', () => {
    // The machine was ten times as slow in the second round, for both.
    assert.equal(pairedRatio([2, 20, 4], [1, 10, 2]), 2);
    assert.deepEqual(pairedRatios([2, 3], [1, 2]), [2, 1.5]);
    assert.throws(() => pairedRatios([1], [1, 2]), RangeError);
  });
});
