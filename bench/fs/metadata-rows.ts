import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bar, Row } from '../harness/row.js';
import type { LoopName } from './loops.js';
import { dropCaches, settle, type Mounted } from './mounted.js';
import type { Workers } from './workers.js';

/** Not slower than a FUSE file system in C that keeps no journal. */
export const NOT_SLOWER: Bar = { of: 'izo', to: 'bindfs', most: 1 };

/** Small operations in a row: how long one takes. */
interface Plan {
  readonly title: string;
  readonly loop: LoopName;
  /** The loop whose files it needs. */
  readonly on?: LoopName;
  /** It uses up what it works on, or leaves something in its way: all is made anew for each round. */
  readonly spoils?: true;
  /** What the kernel remembered of the files is dropped before each round. */
  readonly cold?: true;
  readonly more?: number;
}

const PLANS: readonly Plan[] = [
  { title: 'create', loop: 'create', spoils: true },
  { title: 'create + 1 KiB', loop: 'createKib', spoils: true },
  { title: 'stat, names dropped', loop: 'stat', on: 'create', cold: true },
  { title: 'stat, names known', loop: 'stat', on: 'create', more: 10 },
  { title: 'open + read 1 KiB + close', loop: 'openReadClose', on: 'createKib' },
  { title: 'unlink', loop: 'unlink', on: 'createKib', spoils: true },
  { title: 'mkdir', loop: 'mkdir', spoils: true },
  { title: 'rmdir', loop: 'rmdir', on: 'mkdir', spoils: true },
  { title: 'rename', loop: 'rename', on: 'create', spoils: true },
  { title: 'chmod', loop: 'chmod', on: 'create' },
  { title: 'append 100 B', loop: 'append', spoils: true },
  { title: 'write 4 KiB', loop: 'writePages', spoils: true },
  { title: 'readdir, per entry', loop: 'readdir', on: 'create', cold: true, more: 10 },
];

/** What is also done by four processes at once, each in a directory of its own. */
const BY_FOUR = ['create + 1 KiB', 'stat, names dropped', 'open + read 1 KiB + close', 'unlink'];

export function metadataRows(workers: Workers, count: number): Row<Mounted>[] {
  const four = PLANS.filter(({ title }) => BY_FOUR.includes(title));
  return [
    ...PLANS.map((plan) => metadataRow(workers, plan, count, 1)),
    ...four.map((plan) => metadataRow(workers, plan, count, 4)),
  ];
}

function metadataRow(workers: Workers, plan: Plan, base: number, processes: number): Row<Mounted> {
  const amount = base * (plan.more ?? 1);
  const place = ({ directory }: Mounted): string => join(directory, 'loop');
  const make = async (system: Mounted): Promise<void> => {
    mkdirSync(place(system));
    if (plan.on !== undefined) await workers.run(plan.on, place(system), amount, processes);
  };
  const clear = (system: Mounted): void => rmSync(place(system), { recursive: true });
  const again = plan.spoils === true;
  return {
    id: processes === 1 ? plan.title : `${plan.title}, ${processes} processes`,
    unit: 'µs',
    amount,
    bars: [NOT_SLOWER],
    async prepare(system) {
      if (!again) await make(system);
    },
    async before(system) {
      if (again) await make(system);
      settle(system);
      if (plan.cold === true) dropCaches('entries');
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
