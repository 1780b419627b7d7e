import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pair } from './pair.js';

/** Nothing takes so long that works. */
const PATIENCE_MS = 120_000;
/** After so many looks there is time between them: what takes long is not measured to the microsecond. */
const EAGER_LOOKS = 2000;
const PAUSE_MS = 5;

/** Looks all the time, and lets others run in between. */
export async function until(what: string, done: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let looks = 0; !done(); looks++) {
    if (performance.now() > deadline) throw new Error(`it does not come: ${what}`);
    await sleep(looks < EAGER_LOOKS ? 0 : PAUSE_MS);
  }
}

/** @returns seconds */
export async function timed(act: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await act();
  return (performance.now() - begin) / 1e3;
}

export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

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
