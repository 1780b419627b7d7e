import assert from 'node:assert/strict';
import { Lingering } from '../../../src/core/fuse/device/lingering.js';
import { LINGERING } from '../../../src/core/fuse/device/limits.js';

const { lookMs, trial, round, longMs } = LINGERING;
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
});
