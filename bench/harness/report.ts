import { table, type Column } from '../../src/core/cli/render/table.js';
import { inUnit, type Bar, type Measured, type Unit } from './row.js';
import { median, pairedRatio, pairedRatios, spread } from './statistics.js';

/** Which ratios a table has besides those of the bars: [of, to]. */
export type Pair = readonly [of: string, to: string];

export interface Verdict {
  readonly bar: Bar;
  readonly met: boolean;
  /** What was measured, in terms of the bar: a ratio of times, or seconds. */
  readonly value: number;
}

/** A verdict for each bar of the row; none for a bar that speaks of what was not measured. */
export function verdicts({ bars, samples }: Measured): Verdict[] {
  return bars.flatMap((bar): Verdict[] => {
    const of = samples.get(bar.of);
    if (of === undefined) return [];
    if ('seconds' in bar) {
      const value = median(of);
      return [{ bar, met: value <= bar.seconds, value }];
    }
    const to = samples.get(bar.to);
    if (to === undefined) return [];
    const value = pairedRatio(of, to);
    return [{ bar, met: value <= bar.most, value }];
  });
}

/** The rows as a table in plain columns, each against its bar. */
export function renderRows(
  rows: readonly Measured[],
  systems: readonly string[],
  pairs: readonly Pair[],
): string {
  const columns: Column<Measured>[] = [
    { title: 'ROW', value: ({ id }) => id },
    { title: 'UNIT', value: ({ unit }) => unit },
    ...systems.map((name) => valueColumn(name)),
    ...pairs.map((pair) => ratioColumn(pair)),
    { title: 'BAR', value: ({ bars, unit }) => bars.map((bar) => barText(bar, unit)).join(', ') },
    { title: 'VERDICT', value: (row) => verdictText(row) },
  ];
  return table(rows, columns);
}

function valueColumn(name: string): Column<Measured> {
  return {
    title: name,
    align: 'right',
    value: (row) => {
      const samples = row.samples.get(name);
      if (samples === undefined) return '';
      const percent = Math.round(spread(samples) * 100);
      return `${figure(inUnit(median(samples), row))} ±${percent}%`;
    },
  };
}

function ratioColumn([of, to]: Pair): Column<Measured> {
  return {
    title: `${of}/${to}`,
    align: 'right',
    value: ({ samples, unit }) => {
      const [a, b] = [samples.get(of), samples.get(to)];
      if (a === undefined || b === undefined) return '';
      const times = pairedRatio(a, b);
      return (unit === 'MiB/s' ? 1 / times : times).toFixed(2);
    },
  };
}

/** Three digits that say something, whatever the size. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '?';
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function barText(bar: Bar, unit: Unit): string {
  if ('seconds' in bar) return `${bar.of} <= ${figure(bar.seconds)} s`;
  // 90 % of the rate is 1/0.9 of the time.
  return unit === 'MiB/s'
    ? `>= ${Math.round(100 / bar.most)} % of ${bar.to}`
    : `<= ${bar.most.toFixed(2)} x ${bar.to}`;
}

function verdictText(row: Measured): string {
  const found = verdicts(row);
  if (found.some(({ met }) => !met)) return 'MISSED';
  if (found.length < row.bars.length) return 'not measured';
  return found.length > 0 ? 'met' : '';
}

/** The same for programs: all samples in seconds, the ratios of times, and the verdicts. */
export function rowsToJson(rows: readonly Measured[], pairs: readonly Pair[]): unknown[] {
  return rows.map((row) => {
    const { id, unit, amount, samples } = row;
    const ratios = pairs.flatMap(([of, to]) => {
      const [a, b] = [samples.get(of), samples.get(to)];
      if (a === undefined || b === undefined) return [];
      const each = pairedRatios(a, b);
      return [{ of, to, ofTimes: median(each), spread: spread(each) }];
    });
    return {
      id,
      unit,
      amount,
      systems: Object.fromEntries(
        [...samples].map(([name, seconds]) => [
          name,
          { value: inUnit(median(seconds), row), spread: spread(seconds), seconds },
        ]),
      ),
      ratios,
      verdicts: verdicts(row),
    };
  });
}
