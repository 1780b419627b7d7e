import assert from 'node:assert/strict';
import { Backoff } from '../../../src/core/replication/backoff.js';

describe('the time between attempts', () => {
  it('doubles up to the longest, and begins anew when it has worked', () => {
    const backoff = new Backoff(1_000, 60_000, 0, () => 0.9);
    const delays = Array.from({ length: 8 }, () => backoff.next());
    assert.deepEqual(
      delays,
      [1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1_000),
    );
    backoff.reset();
    assert.equal(backoff.next(), 1_000);
  });

  it('is left to chance in part', () => {
    const chances = [0, 0.5, 0.75];
    const backoff = new Backoff(1_000, 1_000, 0.5, () => chances.shift() ?? 0);
    assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [1_000, 750, 625]);
  });
});
