import { plotSvg, type Line } from '../harness/plot.js';
import { median, quantile } from '../harness/statistics.js';
import type { OperationsResult } from './operations.js';
import type { ReplicatorsResult } from './replicators.js';
import type { SizeResult } from './sizes.js';

/** What `scale` has measured, as it stands in its JSON. */
export interface ScaleResult {
  readonly sizes: readonly SizeResult[];
  readonly replicators: readonly ReplicatorsResult[];
  readonly operations?: OperationsResult | undefined;
}

/** @returns the plots of what was measured, by the names of their files */
export function plotsOf({ sizes, replicators, operations }: ScaleResult): Map<string, string> {
  const plots = new Map<string, string>();
  if (sizes.length > 1) plots.set('sizes.svg', sizesPlot(sizes));
  if (replicators.length > 1) plots.set('replicators.svg', replicatorsPlot(replicators));
  if (operations !== undefined) plots.set('memory.svg', memoryPlot(operations));
  return plots;
}

function sizesPlot(sizes: readonly SizeResult[]): string {
  const line = (title: string, step: string): Line => ({
    title,
    points: sizes.map(({ files, seconds }) => [files, seconds[step] ?? NaN] as const),
  });
  return plotSvg({
    title: 'What grows with the tree, and what does not',
    x: { title: 'files', log: true },
    y: { title: 'seconds', log: true },
    lines: [
      line('first mount: every file gets its identity and its record', 'first mount'),
      line('find, nothing known', 'find'),
      line('mount', 'mount'),
    ],
  });
}

function replicatorsPlot(results: readonly ReplicatorsResult[]): string {
  const line = (title: string, value: (result: ReplicatorsResult) => number): Line => ({
    title,
    points: results.map((result) => [result.replicators, value(result)] as const),
  });
  return plotSvg({
    title: 'One server and its replicators on one machine',
    x: { title: 'replicators' },
    y: { title: 'ms' },
    lines: [
      line('update, until the last one has it: median', (r) => median(r.updateSeconds) * 1e3),
      line('95 of 100', (r) => quantile(r.updateSeconds, 0.95) * 1e3),
      line('a small file of many', (r) => (r.filesSeconds / r.files) * 1e3),
    ],
  });
}

function memoryPlot({ operations, rssMib }: OperationsResult): string {
  const points = rssMib.map((mib, i) => [(operations * (i + 1)) / rssMib.length, mib] as const);
  return plotSvg({
    title: 'Memory of presto over many operations',
    x: { title: 'operations' },
    y: { title: 'MiB' },
    lines: [{ title: 'VmRSS', points }],
  });
}
