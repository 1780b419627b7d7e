import assert from 'node:assert/strict';
import { Lingering } from '../../../src/core/fuse/device/lingering.js';
import { LINGERING } from '../../../src/core/fuse/device/limits.js';

const { lookMs, trial, round, longMs, crowds, restMax } = LINGERING;
/** What a read that finds nothing takes. */
const READ_MS = 0.001;

describe('lingering', () => {
  let clock: number;
  let looks: number;
  let yieldMs: number;
  let approaches: number;
  let lingering: Lingering;

  beforeEach(() => {
    clock = 1_000;
    looks = 0;
    yieldMs = 0;
    const stepBack = () => {
      looks++;
      clock += READ_MS + yieldMs;
    };
    approaches = 0;
    lingering = new Lingering({ now: () => clock, stepBack, approach: () => approaches++ });
  });

  /** A program asks `after` so long; presto needs `wake` when it sleeps. @returns whether it slept. */
  function wait(after: number, wake: number): boolean {
    const asked = clock + after;
    while (lingering.again()) {
      if (clock < asked) continue;
      lingering.arrived();
      return false;
    }
    clock = Math.max(clock, asked) + wake;
    lingering.arrived();
    return true;
  }

  function sleeps(waits: number, after: number, wake: number): number {
    let count = 0;
    for (let index = 0; index < waits; index++) if (wait(after, wake)) count++;
    return count;
  }

  it('looks out for a program that asks sooner than presto wakes up', () => {
    assert.equal(sleeps(trial, 0.01, 0.04), 0);
    assert.equal(sleeps(trial, 0.01, 0.04), trial, 'sleeping is tried, too');
    assert.equal(sleeps(round - 2 * trial, 0.01, 0.04), 0);
  });

  it('goes to the one who asks once in a round', () => {
    sleeps(1, 0.01, 0.04);
    assert.equal(approaches, 1);
    sleeps(round - 1, 0.01, 0.04);
    assert.equal(approaches, 1);
    sleeps(round, 0.01, 0.04);
    assert.equal(approaches, 2);
  });

  it('sleeps where the processor it looks from is the one that the program needs', () => {
    yieldMs = 3;
    assert.equal(sleeps(2 * trial, 0.01, 0.04), trial);
    assert.equal(sleeps(round - 2 * trial, 0.01, 0.04), round - 2 * trial);
  });

  it('sleeps where programs ask now and then', () => {
    sleeps(2 * trial, 10, 0.04);
    looks = 0;
    assert.equal(sleeps(round - 2 * trial, 10, 0.04), round - 2 * trial);
    assert.equal(looks, 0);
  });

  it('gives up looking after its time', () => {
    const began = clock;
    while (lingering.again());
    assert.ok(clock - began >= lookMs && clock - began < lookMs + 3 * READ_MS, `${clock - began}`);
    assert.equal(lingering.again(), false);
  });

  it('looks once more after somebody else has taken all of the time', () => {
    yieldMs = longMs;
    assert.equal(wait(lookMs, 0.04), false);
    assert.equal(looks, 1);
  });

  it('tries again when a round is over, for programs and machines change', () => {
    sleeps(round, 10, 0.04);
    assert.equal(sleeps(trial, 0.01, 0.04), 0);
    sleeps(trial, 0.01, 0.04);
    assert.equal(sleeps(round - 2 * trial, 0.01, 0.04), 0);
  });

  it('does not let one long pause decide', () => {
    wait(60_000, 0.04);
    sleeps(trial - 1, 0.01, 0.04);
    sleeps(trial, 0.01, 0.04);
    assert.equal(sleeps(round - 2 * trial, 0.01, 0.04), 0);
  });

  it('counts nothing while there is always something to read', () => {
    for (let index = 0; index < trial; index++) lingering.arrived();
    assert.equal(wait(0.01, 0.04), false);
  });

  /** Waits of a round in which it looks, where others take the processor for so long at each look. @returns the looks */
  function crowdedRound(): number {
    looks = 0;
    yieldMs = 3;
    sleeps(round, 5, 0.04);
    return looks;
  }

  it('does without where others take the processor and nobody asks, and tries again later and later', () => {
    const tries = Array.from({ length: 64 }, () => crowdedRound());
    assert.equal(tries[0], crowds, 'it looks no more often than it takes to see that');
    const gaps: number[] = [];
    let last = 0;
    tries.forEach((count, index) => {
      assert.ok(count === 0 || count === crowds, `${count}`);
      if (count === 0 || index === 0) return;
      gaps.push(index - last - 1);
      last = index;
    });
    assert.deepEqual(gaps.slice(0, 5), [1, 3, 7, 15, restMax]);
  });

  it('tries as ever again when a trial was not disturbed', () => {
    crowdedRound();
    assert.equal(crowdedRound(), 0);
    yieldMs = 0;
    for (let rounds = 0; rounds < 3; rounds++) {
      assert.equal(sleeps(trial, 0.01, 0.04), 0);
      sleeps(round - trial, 0.01, 0.04);
    }
  });

  it('is not put off by others once, nor by a program that takes long to ask', () => {
    yieldMs = 3;
    wait(5, 0.04);
    yieldMs = 0;
    assert.equal(sleeps(trial - 1, 0.01, 0.04), 0);
    sleeps(round - trial, 0.01, 0.04);
    yieldMs = 3;
    assert.equal(sleeps(trial, 2, 0.04), 0, 'the request is there when the processor comes back');
  });
});
