import { formatSize } from '../../model/sizes.js';
import type { FilesetActivity, Rates } from '../terminal/activity.js';
import { table, type Column } from './table.js';

const KINDS = 12;
const PROCESSES = 12;
const TRANSFERS = 8;

const perSecond = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0));
const bytes = (value: number): string => (value === 0 ? '' : formatSize(value));
const milliseconds = (value: number | null): string => (value === null ? '' : value.toFixed(3));

/** What all that is counted has. */
function columns<Row extends Rates>(): Column<Row>[] {
  return [
    { title: 'OPS/S', value: (each) => perSecond(each.operations), align: 'right' },
    { title: 'P50 MS', value: (each) => milliseconds(each.p50), align: 'right' },
    { title: 'P95 MS', value: (each) => milliseconds(each.p95), align: 'right' },
    { title: 'ERRORS/S', value: (each) => perSecond(each.errors), align: 'right' },
    { title: 'READ/S', value: (each) => bytes(each.read), align: 'right' },
    { title: 'WRITTEN/S', value: (each) => bytes(each.written), align: 'right' },
  ];
}

function most<Row extends { readonly operations: number }>(
  rows: readonly Row[],
  count: number,
): Row[] {
  return [...rows].sort((a, b) => b.operations - a.operations).slice(0, count);
}

/** `izo top` for people: filesets, then what is done most, then who does most. */
export function renderActivity(filesets: readonly FilesetActivity[]): string[] {
  if (filesets.length === 0) return ['no fileset is mounted'];
  const kinds = filesets.flatMap(({ fileset, kinds: each }) =>
    each.map((kind) => ({ fileset, ...kind })),
  );
  const processes = filesets.flatMap(({ fileset, processes: each }) =>
    each.map((process) => ({ fileset, ...process })),
  );
  const tables = [
    table(filesets, [
      { title: 'FILESET', value: ({ fileset }) => fileset },
      ...columns<FilesetActivity>(),
      { title: 'WAITING', value: ({ waiting }) => waiting, align: 'right' },
      { title: 'OPEN', value: ({ openFiles }) => openFiles, align: 'right' },
      { title: 'PERMIT', value: ({ permit }) => permit ?? '' },
      { title: 'BACKLOG', value: renderBacklog },
      { title: 'MOUNTED AT', value: ({ mountPoint }) => mountPoint },
    ]),
    ...transfersTable(filesets),
    table(most(kinds, KINDS), [
      { title: 'OPERATION', value: ({ operation }) => operation },
      ...columns<Rates & { fileset: string; operation: string }>(),
      { title: 'FILESET', value: ({ fileset }) => fileset },
    ]),
    table(most(processes, PROCESSES), [
      { title: 'PID', value: ({ pid }) => pid, align: 'right' },
      { title: 'USER', value: ({ user }) => user },
      { title: 'OPS/S', value: ({ operations }) => perSecond(operations), align: 'right' },
      { title: 'READ/S', value: ({ read }) => bytes(read), align: 'right' },
      { title: 'WRITTEN/S', value: ({ written }) => bytes(written), align: 'right' },
      { title: 'COMMAND', value: ({ command }) => command },
      { title: 'FILESET', value: ({ fileset }) => fileset },
    ]),
  ];
  return tables.flatMap((text) => [...text.split('\n'), '']);
}

/** Contents on their way, where there are some. */
function transfersTable(filesets: readonly FilesetActivity[]): string[] {
  const all = filesets.flatMap(({ fileset, transfers }) =>
    transfers.map((transfer) => ({ fileset, ...transfer })),
  );
  if (all.length === 0) return [];
  const more = all.length > TRANSFERS ? [`and ${all.length - TRANSFERS} more`] : [];
  const rows = table(all.slice(0, TRANSFERS), [
    { title: 'ON ITS WAY', value: ({ direction, peer }) => `${direction} ${peer}` },
    { title: 'THERE', value: (each) => formatSize(each.bytes), align: 'right' },
    { title: 'OF', value: (each) => formatSize(each.size), align: 'right' },
    { title: 'RATE/S', value: (each) => formatSize(each.rate), align: 'right' },
    { title: 'FILESET', value: ({ fileset }) => fileset },
    { title: 'PATH', value: ({ path }) => path },
  ]);
  return [[rows, ...more].join('\n')];
}

function renderBacklog({ backlog }: FilesetActivity): string {
  if (backlog === null) return '';
  return backlog.records === 0 ? '0' : `${backlog.records} (${formatSize(backlog.bytes)})`;
}
