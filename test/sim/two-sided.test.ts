import assert from 'node:assert/strict';
import type { Plant } from '../scenarios/harness/host.js';
import { MODES, simulate, Violation } from './replay.js';

const SEEDS = Number(process.env['SEEDS'] ?? 250);
/** Within so many seeds, every planted bug has to be found. */
const PLANT_SEEDS = 1000;

/** One to three filesets on two to five hosts, and whatever may happen to them, as the seed has it. */
describe('simulated replication', () => {
  const modes = {
    'one-sided': 'ends with the same everywhere',
    'two-sided': 'merges what both sides did, and loses nothing',
    trees: 'merges trees by the rules of conflicts, and loses nothing',
  } as const;
  for (const mode of MODES) {
    it(`${modes[mode]}: ${mode}`, () => {
      for (let seed = 0; seed < SEEDS; seed++) simulate(seed, mode);
    });
  }

  it('does the same for the same seed', () => {
    assert.deepEqual(simulate(1, 'two-sided').trace, simulate(1, 'two-sided').trace);
  });
});

/** A check that finds nothing proves nothing. */
describe('simulated replication with a bug that was put in', () => {
  const inAny: readonly Plant[] = [
    ...(['skip-drain', 'skip-stamp-check', 'forget-leftover'] as const),
    ...(['reuse-numbers', 'forget-pending', 'trust-walk', 'unmount-unsaid'] as const),
  ];
  // Where updates are nothing but names no version loses, and no history is shortened.
  const inTrees: readonly Plant[] = [
    ...(['forget-loser', 'drop-last-close', 'shorten-unsynced', 'early-numbers'] as const),
  ];
  for (const plant of [...inAny, ...inTrees]) {
    it(`is found out: ${plant}`, () => {
      const modes = inTrees.includes(plant) ? (['trees'] as const) : MODES;
      assert.throws(
        () => {
          for (let seed = 0; seed < PLANT_SEEDS; seed++) {
            for (const mode of modes) simulate(seed, mode, plant);
          }
        },
        Violation,
        `${plant} is not found within ${PLANT_SEEDS} seeds`,
      );
    });
  }
});
