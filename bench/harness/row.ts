/** What a row of a table is measured in. Always measured in seconds; shown so. */
export type Unit = 'µs' | 'ms' | 's' | 'MiB/s';

/** What a row must reach: no more than `most` times as long as `to` takes, or no more than `seconds`. */
export type Bar =
  | { readonly of: string; readonly to: string; readonly most: number }
  | { readonly of: string; readonly seconds: number };

/** Something that is measured: a mounted file system, a daemon, a state of one. */
export interface System {
  readonly name: string;
}

/** One thing to be measured on every system. Everything but `measure` is outside of the time. */
export interface Row<S extends System> {
  readonly id: string;
  readonly unit: Unit;
  /** Operations or MiB in one measurement; 1 for the whole. */
  readonly amount: number;
  readonly bars?: readonly Bar[];
  /** Where this can be measured; on all where nothing is said. */
  appliesTo?(system: S): boolean;
  /** Once, before the first round. */
  prepare?(system: S): Promise<void> | void;
  /** Before each measurement. */
  before?(system: S): Promise<void> | void;
  /** @returns seconds */
  measure(system: S): Promise<number> | number;
  /** After each measurement. */
  after?(system: S): Promise<void> | void;
  /** Once, after the last round. */
  finish?(system: S): Promise<void> | void;
}

/** What was measured of one row: seconds by system, one sample a round, in the order of the rounds. */
export interface Measured {
  readonly id: string;
  readonly unit: Unit;
  readonly amount: number;
  readonly bars: readonly Bar[];
  readonly samples: ReadonlyMap<string, readonly number[]>;
}

/** Seconds in the row's unit. */
export function inUnit(
  seconds: number,
  { unit, amount }: Pick<Measured, 'unit' | 'amount'>,
): number {
  switch (unit) {
    case 'µs':
      return (seconds / amount) * 1e6;
    case 'ms':
      return (seconds / amount) * 1e3;
    case 's':
      return seconds / amount;
    case 'MiB/s':
      return amount / seconds;
  }
}
