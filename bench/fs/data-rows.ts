import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bar, Row } from '../harness/row.js';
import { RANDOM_MIB, type LoopName } from './loops.js';
import { dropCaches, settle, type Mounted } from './mounted.js';
import type { Workers } from './workers.js';

const READ: Bar = { of: 'izo', to: 'bare', most: 1 / 0.9 };
const WRITE: Bar = { of: 'izo', to: 'bare', most: 1 / 0.6 };

/** 4 KiB pages in one measurement of a random loop. */
const RANDOM_COUNT = 4096;

interface Plan {
  readonly title: string;
  readonly loop: LoopName;
  readonly bar?: Bar;
  readonly random?: true;
  /** A new file for each round; else one that is there. */
  readonly makes?: true;
  readonly cold?: true;
  readonly processes?: number;
}

const PLANS: readonly Plan[] = [
  { title: 'sequential write, 1 MiB blocks', loop: 'writeMib', makes: true, bar: WRITE },
  {
    title: 'sequential write, 4 processes',
    loop: 'writeMib',
    makes: true,
    bar: WRITE,
    processes: 4,
  },
  { title: 'sequential read, cached', loop: 'readMib', bar: READ },
  { title: 'sequential read, caches dropped', loop: 'readMib', cold: true, bar: READ },
  { title: 'sequential read, 4 processes', loop: 'readMib', bar: READ, processes: 4 },
  { title: 'random read 4 KiB, cached', loop: 'readRandom', random: true },
  { title: 'random read 4 KiB, caches dropped', loop: 'readRandom', random: true, cold: true },
  { title: 'random write 4 KiB', loop: 'writeRandom', random: true },
];

/** Contents of large files. `mib`: the size of one. */
export function dataRows(workers: Workers, mib: number): Row<Mounted>[] {
  return PLANS.map((plan) => dataRow(workers, plan, mib));
}

function dataRow(workers: Workers, plan: Plan, sequential: number): Row<Mounted> {
  const { processes = 1 } = plan;
  const mib = plan.random === true ? RANDOM_MIB : sequential;
  const [unit, amount] =
    plan.random === true ? (['µs', RANDOM_COUNT] as const) : (['MiB/s', mib] as const);
  const place = ({ directory }: Mounted): string => join(directory, 'data');
  const again = plan.makes === true;
  const clear = (system: Mounted): void => rmSync(place(system), { recursive: true });
  return {
    id: plan.title,
    unit,
    amount,
    bars: plan.bar === undefined ? [] : [plan.bar],
    async prepare(system) {
      if (again) return;
      mkdirSync(place(system));
      await workers.run('writeMib', place(system), mib, processes);
      await workers.run('readMib', place(system), mib, processes);
    },
    before(system) {
      if (again) mkdirSync(place(system));
      settle(system);
      if (plan.cold === true) dropCaches('everything');
    },
    measure: (system) => workers.run(plan.loop, place(system), amount, processes),
    after(system) {
      if (again) clear(system);
    },
    finish(system) {
      if (!again) clear(system);
    },
  };
}
