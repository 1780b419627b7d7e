/**
 * npm run sim -- --seeds N [--from S] [--mode MODE]     simulates N clusters in each mode, says what was found
 * npm run sim -- --seed S --mode MODE [--plant BUG]     replays one, with its whole trace
 */
import { parseArgs } from 'node:util';
import type { Plant } from '../scenarios/harness/host.js';
import { MODES, simulate, Violation } from './replay.js';
import type { Mode } from './fileset.js';
import { Simulation } from './simulation.js';

const PROGRESS_MS = 10_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string' },
    mode: { type: 'string' },
    plant: { type: 'string' },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function readMode(text: string | undefined): readonly Mode[] {
  if (text === undefined) return MODES;
  const mode = MODES.find((each) => each === text);
  if (mode === undefined) throw new Error(`--mode is one of ${MODES.join(', ')}`);
  return [mode];
}

function replay(seed: number, mode: Mode): void {
  const simulation = new Simulation(seed, mode, values.plant as Plant | undefined);
  try {
    simulation.run();
  } catch (error) {
    process.exitCode = 1;
    simulation.trace.push(String(error));
  }
  say(simulation.trace.join('\n'));
}

function run(from: number, count: number, modes: readonly Mode[]): void {
  const begin = Date.now();
  const totals = new Map<string, number>();
  let violations = 0;
  let told = begin;
  for (let seed = from; seed < from + count; seed++) {
    for (const mode of modes) {
      try {
        for (const [what, n] of simulate(seed, mode).counts) {
          totals.set(what, (totals.get(what) ?? 0) + n);
        }
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        violations++;
        say(error.message);
      }
    }
    if (Date.now() - told < PROGRESS_MS) continue;
    told = Date.now();
    process.stderr.write(`${seed - from + 1} of ${count} seeds, ${violations} violations\n`);
  }
  const seconds = Math.round((Date.now() - begin) / 1000);
  const of = (what: string): number => totals.get(what) ?? 0;
  say(
    `${count} seeds in ${modes.length} modes, ${seconds} s: ${of('write')} updates tried, ${of('cut')} cuts, ` +
      `${of('kill')} kills of lento, ${of('crash')} of presto, ${of('power')} power cuts, ${of('unmount')} unmounts, ${of('merges')} merges, ` +
      `${of('resyncs')} resyncs, ${of('stretches')} shortened histories, ` +
      `${violations} violations`,
  );
  if (violations > 0) process.exitCode = 1;
}

const modes = readMode(values.mode);
if (values.seed === undefined) run(Number(values.from), Number(values.seeds), modes);
else for (const mode of modes) replay(Number(values.seed), mode);
