import type { Plant } from '../scenarios/harness/host.js';
import type { Mode } from './fileset.js';
import { Simulation } from './simulation.js';

export const MODES: readonly Mode[] = ['one-sided', 'two-sided', 'trees'];

/** Lines of a failing run's trace that are shown where nobody has asked for its seed. */
const SHOWN = 40;

/** A run whose checkers found something. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** @returns the run; @throws Violation with the end of its trace, and the command that replays it */
export function simulate(seed: number, mode: Mode, plant?: Plant): Simulation {
  const simulation = new Simulation(seed, mode, plant);
  try {
    simulation.run();
  } catch (error) {
    const planted = plant === undefined ? '' : ` --plant ${plant}`;
    const replay = `npm run sim -- --seed ${seed} --mode ${mode}${planted}`;
    const trace = simulation.trace.slice(-SHOWN).join('\n');
    throw new Violation(`seed ${seed}: replay it with\n${replay}\n${trace}\n${String(error)}`, {
      cause: error,
    });
  }
  return simulation;
}
