import type { Measured, Row, System } from './row.js';

/** Rounds that do not count: what runs for months is not judged by its first second. */
const WARM_UP = 1;

export interface Rounds {
  readonly rounds: number;
  /** Ends the measuring between two measurements. */
  readonly signal: AbortSignal;
}

/**
 * Measures rows on systems: round by round, in each round one system right after the other, and each round begins with
 * another one, so that nobody always comes first.
 */
export async function measureRows<S extends System>(
  rows: readonly Row<S>[],
  systems: readonly S[],
  { rounds, signal }: Rounds,
  onRow: (measured: Measured) => void = () => undefined,
): Promise<Measured[]> {
  const all: Measured[] = [];
  for (const row of rows) {
    const measured = await measureRow(row, systems, { rounds, signal });
    onRow(measured);
    all.push(measured);
  }
  return all;
}

async function measureRow<S extends System>(
  row: Row<S>,
  all: readonly S[],
  { rounds, signal }: Rounds,
): Promise<Measured> {
  const systems = all.filter((system) => row.appliesTo?.(system) !== false);
  const { id, unit, amount, bars = [] } = row;
  const samples = new Map<string, number[]>(systems.map(({ name }) => [name, []]));
  for (const system of systems) await row.prepare?.(system);
  for (let round = 0; round < WARM_UP + rounds; round++) {
    for (const system of turned(systems, round)) {
      signal.throwIfAborted();
      await row.before?.(system);
      const seconds = await row.measure(system);
      if (round >= WARM_UP) samples.get(system.name)?.push(seconds);
      await row.after?.(system);
    }
  }
  for (const system of systems) await row.finish?.(system);
  return { id, unit, amount, bars, samples };
}

/** The list begun at another place: `by` places on. */
export function turned<T>(list: readonly T[], by: number): T[] {
  const start = by % Math.max(1, list.length);
  return [...list.slice(start), ...list.slice(0, start)];
}
