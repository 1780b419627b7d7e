import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { environment, renderEnvironment } from '../harness/environment.js';
import { measureRows } from '../harness/measure.js';
import type { BenchOptions } from '../harness/options.js';
import { available, type Program } from '../harness/programs.js';
import { renderRows, rowsToJson, type Pair } from '../harness/report.js';
import type { Measured, Row } from '../harness/row.js';
import { commandRows, STARTABLE } from './commands.js';
import { dataRows } from './data-rows.js';
import { makeFixtures } from './fixtures.js';
import { metadataRows } from './metadata-rows.js';
import { mountBare, mountBindfs, mountIzo, type Mounted } from './mounted.js';
import { programRows } from './program-rows.js';
import { makeStart, startPlans, startRow, type Start } from './starts.js';
import { Workers } from './workers.js';

/** The mounted file system beside what it lies on, and beside another FUSE file system. */

const PROGRAMS: readonly Program[] = [
  { name: 'bindfs', package: 'bindfs', version: ['--version'] },
  { name: 'git', package: 'git', version: ['--version'] },
  { name: 'sqlite3', package: 'sqlite3', version: ['--version'] },
];

const GIB = 2 ** 30;

/** Amounts. */
interface Settings {
  readonly rounds: number;
  /** Operations in one measurement of a loop. */
  readonly operations: number;
  /** MiB of the file that is written and read from end to end. */
  readonly sequentialMib: number;
  /** Files of the tree that is unpacked, cloned and copied. */
  readonly files: number;
  /** Starts of a command in one measurement. */
  readonly starts: number;
  readonly imageBytes: number;
}

function settingsOf({ quick, rounds }: BenchOptions): Settings {
  const common = { rounds, imageBytes: 3 * GIB };
  return quick
    ? { ...common, operations: 400, sequentialMib: 64, files: 400, starts: 3 }
    : { ...common, operations: 2_000, sequentialMib: 512, files: 5_000, starts: 10 };
}

const PAIRS: readonly Pair[] = [
  ['izo', 'bindfs'],
  ['izo', 'bare'],
];

type Say = (line: string) => void;

export async function benchFs(
  options: BenchOptions,
  say: Say,
  signal: AbortSignal,
): Promise<unknown> {
  const programs = await available(PROGRAMS, options.install, say);
  const settings = settingsOf(options);
  const where = await environment(PROGRAMS);
  say(renderEnvironment(where));
  say(
    `${Object.entries(settings)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ')}\n`,
  );
  const root = mkdtempSync(join(options.directory, 'izo-bench-'));
  const bench = { options, settings, programs, root, say, signal };
  try {
    const rows = await measureMounted(bench);
    const starts = await measureStarts(bench);
    const commands = await measureCommands(bench);
    return { environment: where, settings, rows: rowsToJson(rows, PAIRS), ...starts, ...commands };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Bench {
  readonly options: BenchOptions;
  readonly settings: Settings;
  readonly programs: ReadonlySet<string>;
  readonly root: string;
  readonly say: Say;
  readonly signal: AbortSignal;
}

function chosen<Any extends { readonly id: string }>(rows: readonly Any[], only?: RegExp): Any[] {
  return rows.filter(({ id }) => only?.test(id) !== false);
}

async function measureMounted(bench: Bench): Promise<Measured[]> {
  const { options, settings, programs, root, say, signal } = bench;
  const workers = new Workers();
  const systems: Mounted[] = [];
  try {
    const fixtures = await makeFixtures(root, settings.files, programs.has('git'));
    const all: Row<Mounted>[] = [
      ...metadataRows(workers, settings.operations),
      ...dataRows(workers, settings.sequentialMib),
      ...programRows(fixtures, programs, options.quick),
    ];
    const rows = chosen(all, options.only);
    if (rows.length === 0) return [];
    await mountAll(bench, systems);
    const names = systems.map(({ name }) => name);
    const measured = await measureRows(
      rows,
      systems,
      { rounds: settings.rounds, signal },
      ({ id }) => {
        process.stderr.write(`  ${id}\n`);
      },
    );
    say(`${renderRows(measured, names, PAIRS)}\n`);
    return measured;
  } finally {
    workers.end();
    await removeAll(systems);
  }
}

/** All of them, also where one cannot be removed. */
async function removeAll(systems: readonly { remove(): Promise<void> }[]): Promise<void> {
  const results = await Promise.allSettled(systems.map((system) => system.remove()));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** `systems` is filled one by one: what is mounted can be removed when the next one fails. */
async function mountAll({ root, programs, settings }: Bench, systems: Mounted[]): Promise<void> {
  const place = (name: string): string => {
    const path = join(root, name);
    mkdirSync(path);
    return path;
  };
  systems.push(await mountBare(place('bare'), settings.imageBytes));
  if (programs.has('bindfs')) {
    systems.push(await mountBindfs(place('bindfs'), settings.imageBytes));
  }
  systems.push(await mountIzo(place('izo'), settings.imageBytes));
}

async function measureStarts(bench: Bench): Promise<{ starts?: unknown }> {
  const { options, settings, root, say, signal } = bench;
  const plans = startPlans(options.quick);
  const rows = chosen([startRow(plans)], options.only);
  if (rows.length === 0) return {};
  const systems: Start[] = [];
  try {
    for (const [index, plan] of plans.entries()) {
      signal.throwIfAborted();
      systems.push(await makeStart(join(root, `start${index}`), plan));
    }
    const measured = await measureRows(rows, systems, { rounds: settings.rounds, signal });
    const names = plans.map(({ name }) => name);
    const pairs = names.slice(1).map((name): Pair => [name, names[0] ?? '']);
    say(`Start of presto\n\n${renderRows(measured, names, pairs)}\n`);
    return { starts: rowsToJson(measured, pairs) };
  } finally {
    await removeAll(systems);
  }
}

async function measureCommands(bench: Bench): Promise<{ commands?: unknown }> {
  const { options, settings, root, say, signal } = bench;
  const rows = chosen(commandRows(root, settings.starts), options.only);
  if (rows.length === 0) return {};
  const measured = await measureRows(rows, STARTABLE, { rounds: settings.rounds, signal });
  const pairs: Pair[] = [['izo', 'node']];
  const names = STARTABLE.map(({ name }) => name);
  say(`Start of a command\n\n${renderRows(measured, names, pairs)}\n`);
  return { commands: rowsToJson(measured, pairs) };
}
