import assert from 'node:assert/strict';
import { Lingering } from '../../../src/core/fuse/device/lingering.js';
import { LOOKS, LOOKS_MS, NO_LOOKS_MS } from '../../../src/core/fuse/device/limits.js';

describe('lingering', () => {
  let clock: number;
  let slow: number;
  let steps: number;
  let lingering: Lingering;

  beforeEach(() => {
    clock = 1_000;
    slow = 0;
    steps = 0;
    const stepBack = () => {
      steps++;
      clock += slow;
    };
    lingering = new Lingering(() => clock, stepBack);
  });

  /** How often the device would be looked at again before going to sleep. */
  function looks(): number {
    let count = 0;
    while (lingering.again()) count++;
    return count;
  }

  it('looks a few times more, then lets the event loop wait', () => {
    lingering.begin();
    assert.equal(looks(), LOOKS);
    assert.equal(steps, LOOKS);
  });

  it('begins anew after each request', () => {
    lingering.begin();
    lingering.again();
    lingering.begin();
    assert.equal(looks(), LOOKS);
  });

  it('stops at once where somebody else needs the processor, and for a while', () => {
    slow = LOOKS_MS * 2;
    lingering.begin();
    // Once, for what came meanwhile.
    assert.equal(looks(), 1);
    slow = 0;
    lingering.begin();
    assert.equal(looks(), 0);
    clock += NO_LOOKS_MS;
    lingering.begin();
    assert.equal(looks(), LOOKS);
  });
});
