import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { environment, renderEnvironment } from '../harness/environment.js';
import type { BenchOptions } from '../harness/options.js';
import { figure } from '../harness/report.js';
import { renderLines, type Line } from './lines.js';
import { measureOperations, type OperationsResult } from './operations.js';
import { measureReplicators, renderReplicators, type ReplicatorsResult } from './replicators.js';
import { measureResync, renderResyncs, type ResyncResult } from './resync.js';
import { measureSize, type SizeResult } from './sizes.js';

/** What grows with the tree and with the work, and what does not. One run each: it is about sizes, not about percent. */

interface Settings {
  readonly sizes: readonly number[];
  readonly operations: number;
  readonly replicators: readonly number[];
  readonly files: number;
  /** Files of trees that are taken as a whole. */
  readonly resyncs: readonly number[];
}

function settingsOf(quick: boolean): Settings {
  return quick
    ? {
        sizes: [1_000, 10_000],
        operations: 50_000,
        replicators: [1, 4],
        files: 500,
        resyncs: [5_000],
      }
    : {
        sizes: [10_000, 100_000, 1_000_000],
        operations: 1_000_000,
        replicators: [1, 2, 4, 8, 16],
        files: 2_000,
        resyncs: [5_000, 100_000],
      };
}

type Say = (line: string) => void;

export async function benchScale(
  { quick, directory, only }: BenchOptions,
  say: Say,
  signal: AbortSignal,
): Promise<unknown> {
  const settings = settingsOf(quick);
  const where = await environment([]);
  say(`${renderEnvironment(where)}\n`);
  const root = mkdtempSync(join(directory, 'izo-bench-'));
  const isWanted = (name: string): boolean => only?.test(name) !== false;
  try {
    const sizes: SizeResult[] = [];
    for (const files of settings.sizes) {
      if (!isWanted(`${files} files`)) continue;
      sizes.push(await measureSize(join(root, String(files)), files, signal));
    }
    if (sizes.length > 0) say(`${renderSizes(sizes)}\n`);
    const replicators: ReplicatorsResult[] = [];
    for (const count of settings.replicators) {
      if (!isWanted(`${count} replicators`)) continue;
      const star = join(root, `star${count}`);
      replicators.push(await measureReplicators(star, count, settings.files, signal));
    }
    if (replicators.length > 0) say(`${renderReplicators(replicators)}\n`);
    const resyncs: ResyncResult[] = [];
    for (const files of settings.resyncs) {
      if (!isWanted(`resync of ${files} files`)) continue;
      resyncs.push(await measureResync(join(root, `resync${files}`), files, signal));
    }
    if (resyncs.length > 0) say(`${renderResyncs(resyncs)}\n`);
    if (!isWanted('operations')) return { environment: where, sizes, replicators, resyncs };
    const operations = await measureOperations(join(root, 'work'), settings.operations, signal);
    say(`${renderOperations(operations)}\n`);
    return { environment: where, sizes, replicators, resyncs, operations };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const perFile = (what: string): Line<SizeResult> => ({
  what,
  unit: 'µs a file',
  value: ({ seconds, files }) => ((seconds[what] ?? NaN) / files) * 1e6,
});

const LINES: readonly Line<SizeResult>[] = [
  perFile('first mount'),
  { what: 'mount', unit: 's', value: ({ seconds }) => seconds['mount'] ?? NaN },
  perFile('find'),
  perFile('ls -lR'),
  perFile('du'),
  perFile('find -size, names known'),
  {
    what: 'open + read + close',
    unit: 'µs a file',
    value: ({ seconds, sample }) => ((seconds['open + read + close'] ?? NaN) / sample) * 1e6,
  },
  { what: 'records of the log', unit: '', value: ({ records }) => records },
  {
    what: 'scan of the log',
    unit: 'µs a record',
    value: ({ seconds, records }) => ((seconds['scan of the log'] ?? NaN) / records) * 1e6,
  },
  {
    what: 'reading for a peer',
    unit: 'µs a record',
    value: ({ replayed }) => (replayed.readSeconds / replayed.records) * 1e6,
  },
  {
    what: 'replay in another cache',
    unit: 'µs a record',
    value: ({ replayed }) => (replayed.seconds / replayed.records) * 1e6,
  },
  { what: 'its memory grew by', unit: 'MiB', value: ({ replayed }) => replayed.growthMib },
  { what: 'memory at the mount', unit: 'MiB', value: ({ before }) => before.rssMib },
  { what: 'memory, all walked', unit: 'MiB', value: ({ walked }) => walked.rssMib },
  { what: 'nodes, all walked', unit: '', value: ({ walked }) => walked.nodes },
  {
    what: 'memory a node',
    unit: 'bytes',
    value: ({ before, walked }) => ((walked.rssMib - before.rssMib) * 2 ** 20) / walked.nodes,
  },
  { what: 'descriptors, all walked', unit: '', value: ({ walked }) => walked.descriptors },
  { what: 'nodes, all forgotten', unit: '', value: ({ forgotten }) => forgotten.nodes },
  { what: 'memory, all forgotten', unit: 'MiB', value: ({ forgotten }) => forgotten.rssMib },
];

export function renderSizes(sizes: readonly SizeResult[]): string {
  return renderLines('ROW', LINES, sizes, ({ files }) => `${files} files`);
}

export function renderOperations(result: OperationsResult): string {
  const { operations, seconds, rssMib, growthBytes, after } = result;
  return [
    `${operations} operations in ${figure(seconds)} s (${figure((seconds / operations) * 1e6)} µs each)`,
    `memory in MiB after each tenth: ${rssMib.map((mib) => mib.toFixed(1)).join(' ')}`,
    `growth over the second half: ${growthBytes.toFixed(2)} bytes an operation; ` +
      `${after.nodes} nodes, ${after.descriptors} descriptors at the end`,
  ].join('\n');
}
