import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cleanUp } from '../../src/core/demo/janitor.js';
import type { Host } from '../../src/core/demo/host.js';
import { median, quantile } from '../harness/statistics.js';
import { cpuSeconds, mountedOf, rssMib } from '../harness/usage.js';
import { readIfThere, timed, until } from '../harness/waiting.js';
import { renderLines, type Line } from './lines.js';
import { lentoPid, makeStar, type Star } from './star.js';

/** One server with so many replicators, all on this machine: what each costs the server and the others. */
export interface ReplicatorsResult {
  readonly replicators: number;
  /** Of each update of 1 KiB, until the last replicator has it. */
  readonly updateSeconds: readonly number[];
  readonly files: number;
  /** Until the last replicator has all of them. */
  readonly filesSeconds: number;
  /** Of the server's lento and of its presto, over these files. */
  readonly lentoCpuSeconds: number;
  readonly prestoCpuSeconds: number;
  readonly lentoMib: number;
  readonly prestoMib: number;
}

const UPDATES = 50;
const UPDATE_BYTES = 1024;

async function update({ server, clients }: Star, serial: number): Promise<void> {
  const text = `${serial} `.padEnd(UPDATE_BYTES, 'x');
  writeFileSync(join(server.mountPoint, 'small'), text);
  for (const { name, mountPoint } of clients) {
    await until(name, () => readIfThere(join(mountPoint, 'small')) === text);
  }
}

async function manyFiles({ server, clients }: Star, files: number): Promise<void> {
  const tree = join(server.mountPoint, 'tree');
  mkdirSync(tree);
  for (let file = 0; file < files; file++) writeFileSync(join(tree, `f${file}`), `${file}\n`);
  // The order is kept: the last one tells of all.
  const last = join('tree', `f${files - 1}`);
  for (const { name, mountPoint } of clients) {
    await until(name, () => readIfThere(join(mountPoint, last)) !== '');
  }
}

export async function measureReplicators(
  root: string,
  replicators: number,
  files: number,
  signal: AbortSignal,
): Promise<ReplicatorsResult> {
  const hosts: Host[] = [];
  try {
    process.stderr.write(`  ${replicators} replicators\n`);
    const star = await makeStar(root, replicators);
    hosts.push(star.server, ...star.clients);
    // One that does not count: what runs for months is not judged by its first second.
    await manyFiles(star, files);
    rmSync(join(star.server.mountPoint, 'tree'), { recursive: true });
    for (const { name, mountPoint } of star.clients) {
      await until(name, () => !existsSync(join(mountPoint, 'tree')));
    }
    const updateSeconds: number[] = [];
    for (let serial = 1; serial <= UPDATES; serial++) {
      await nextTurn();
      signal.throwIfAborted();
      updateSeconds.push(await timed(() => update(star, serial)));
    }
    const pids = { lento: lentoPid(star.server), presto: mountedOf(star.server.runDir).pid };
    const before = { lento: cpuSeconds(pids.lento), presto: cpuSeconds(pids.presto) };
    const filesSeconds = await timed(() => manyFiles(star, files));
    return {
      ...{ replicators, updateSeconds, files, filesSeconds },
      lentoCpuSeconds: cpuSeconds(pids.lento) - before.lento,
      prestoCpuSeconds: cpuSeconds(pids.presto) - before.presto,
      lentoMib: rssMib(pids.lento),
      prestoMib: rssMib(pids.presto),
    };
  } finally {
    for (const host of hosts) await host.stopLento();
    await cleanUp(root, []);
  }
}

const LINES: readonly Line<ReplicatorsResult>[] = [
  {
    what: 'update 1 KiB, until the last one has it, median',
    unit: 'ms',
    value: ({ updateSeconds }) => median(updateSeconds) * 1e3,
  },
  { what: '95 of 100', unit: 'ms', value: (r) => quantile(r.updateSeconds, 0.95) * 1e3 },
  {
    what: 'small files, until the last one has all',
    unit: 'ms a file',
    value: ({ filesSeconds, files }) => (filesSeconds / files) * 1e3,
  },
  {
    what: 'processor time of the lento of the server',
    unit: 'ms a file',
    value: ({ lentoCpuSeconds, files }) => (lentoCpuSeconds / files) * 1e3,
  },
  {
    what: 'of its presto',
    unit: 'ms a file',
    value: ({ prestoCpuSeconds, files }) => (prestoCpuSeconds / files) * 1e3,
  },
  { what: 'memory of the lento of the server', unit: 'MiB', value: ({ lentoMib }) => lentoMib },
  { what: 'of its presto', unit: 'MiB', value: ({ prestoMib }) => prestoMib },
];

export function renderReplicators(results: readonly ReplicatorsResult[]): string {
  return renderLines('REPLICATORS', LINES, results, ({ replicators }) => String(replicators));
}
