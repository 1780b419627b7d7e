import assert from 'node:assert/strict';
import { Simulation, type Mode } from './simulation.js';

const SEEDS = Number(process.env['SEEDS'] ?? 250);
const SEED = process.env['SEED'];
/** Lines of a failing run's trace that are shown; all of them where its seed is asked for. */
const SHOWN = SEED === undefined ? 40 : Infinity;

function simulate(seed: number, mode: Mode): readonly string[] {
  const simulation = new Simulation(seed, mode);
  try {
    simulation.run();
  } catch (error) {
    const replay = `SEED=${seed} npx mocha --import=tsx test/sim/two-sided.test.ts -g ' ${mode}'`;
    const trace = simulation.trace.slice(-SHOWN).join('\n');
    throw new Error(`seed ${seed}: replay it with\n${replay}\n${trace}\n${String(error)}`, {
      cause: error,
    });
  }
  return simulation.trace;
}

/** One server, one to three clients, and whatever may happen to them, as the seed has it. */
describe('simulated replication', () => {
  const seeds = SEED === undefined ? Array.from({ length: SEEDS }, (_, i) => i) : [Number(SEED)];
  const modes = {
    'one-sided': 'ends with the same everywhere',
    'two-sided': 'merges what both sides did, and loses nothing',
  } as const;
  for (const mode of ['one-sided', 'two-sided'] as const) {
    it(`${modes[mode]}: ${mode}`, () => {
      for (const seed of seeds) simulate(seed, mode);
    });
  }

  it('does the same for the same seed', () => {
    assert.deepEqual(simulate(1, 'two-sided'), simulate(1, 'two-sided'));
  });
});
