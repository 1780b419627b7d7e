import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../harness/waiting.js';
import type { Pair } from './pair.js';

/** What was written on the left comes out on the right, by itself or carried. */
export async function arrive(pair: Pair, complete: () => boolean): Promise<void> {
  await pair.carry?.();
  await until(pair.name, complete);
}

/** What a system puts into a directory itself has a name that begins with a dot. */
function visible(directory: string): string[] {
  return readdirSync(directory).filter((name) => !name.startsWith('.'));
}

/** Empties both sides. */
export async function clean(pair: Pair): Promise<void> {
  for (const name of visible(pair.left)) {
    rmSync(join(pair.left, name), { recursive: true, force: true });
  }
  await arrive(pair, () => visible(pair.right).length === 0);
  await pair.settle?.();
}
