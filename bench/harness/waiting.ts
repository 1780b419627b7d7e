import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Nothing takes so long that works. */
const PATIENCE_MS = 120_000;
/** After so many looks there is time between them: what takes long is not measured to the microsecond. */
const EAGER_LOOKS = 2000;
const PAUSE_MS = 5;

export interface Waiting {
  readonly patienceMs?: number;
  /** Between two looks, from the first on. */
  readonly pauseMs?: number;
}

/** Looks all the time, and lets others run in between. @throws Error where it takes too long */
export async function until(
  what: string,
  done: () => boolean | Promise<boolean>,
  { patienceMs = PATIENCE_MS, pauseMs }: Waiting = {},
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (let looks = 0; !(await done()); looks++) {
    if (performance.now() > deadline) throw new Error(`it does not come: ${what}`);
    await sleep(pauseMs ?? (looks < EAGER_LOOKS ? 0 : PAUSE_MS));
  }
}

/** @returns seconds */
export async function timed(act: () => unknown): Promise<number> {
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
