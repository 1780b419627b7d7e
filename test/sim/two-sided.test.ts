import assert from 'node:assert/strict';
import type { Plant } from '../scenarios/harness/host.js';
import { MODES, simulate, Violation } from './replay.js';

const SEEDS = Number(process.env['SEEDS'] ?? 250);
/** Within so many seeds, in both modes, every planted bug has to be found. */
const PLANT_SEEDS = 1000;

/** One server, one to three clients, and whatever may happen to them, as the seed has it. */
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
  const plants: readonly Plant[] = [
    ...(['skip-drain', 'skip-stamp-check', 'forget-leftover'] as const),
    ...(['reuse-numbers', 'forget-pending', 'forget-loser', 'trust-walk'] as const),
    ...(['drop-last-close', 'shorten-unsynced'] as const),
  ];
  for (const plant of plants) {
    it(`is found out: ${plant}`, () => {
      assert.throws(
        () => {
          for (let seed = 0; seed < PLANT_SEEDS; seed++) {
            for (const mode of MODES) simulate(seed, mode, plant);
          }
        },
        Violation,
        `${plant} is not found within ${PLANT_SEEDS} seeds`,
      );
    });
  }
});
