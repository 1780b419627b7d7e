import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TwoHosts } from '../../src/core/demo/demo.js';
import { layCable, removeNamespaces, type Cable } from '../../src/core/demo/namespaces.js';
import { environment, renderEnvironment } from '../harness/environment.js';
import { measureRows } from '../harness/measure.js';
import type { BenchOptions } from '../harness/options.js';
import { available, type Program } from '../harness/programs.js';
import { figure, renderRows, rowsToJson, type Pair as Ratio } from '../harness/report.js';
import type { Measured, Row } from '../harness/row.js';
import { izoPair } from './izo-pair.js';
import { lsyncdPair, rsyncPair, unisonPair } from './other-pairs.js';
import { syncthingPair } from './syncthing-pair.js';
import type { Pair } from './pair.js';
import { CatchUp } from './catch-up.js';
import { fileRows, updateRows } from './file-rows.js';
import { treeRows } from './tree-rows.js';
import { measureUntar, untarId } from './untar-row.js';

/** What users would pick instead, each with the means it has: what runs by itself, and what is run after each change. */

const PROGRAMS: readonly Program[] = [
  { name: 'rsync', package: 'rsync', version: ['--version'] },
  { name: 'lsyncd', package: 'lsyncd', version: ['--version'] },
  { name: 'unison', package: 'unison', version: ['-version'] },
];
/** Takes seconds for what the others do in one: only in full runs. */
const SLOW_PROGRAMS: readonly Program[] = [
  { name: 'syncthing', package: 'syncthing', version: ['--version'] },
];

interface Amounts {
  readonly updates: number;
  readonly files: number;
  readonly fileMib: number;
  /** Trees in which changes are caught up with, in files. */
  readonly trees: readonly number[];
  /** Those in which that is done after a cut, too, which takes a while to be noticed. */
  readonly cuts: readonly number[];
}

const TREES = [2000, 20_000, 100_000];
const FULL: Amounts = { updates: 100, files: 5000, fileMib: 512, trees: TREES, cuts: TREES };
const QUICK: Amounts = {
  ...{ updates: 20, files: 400, fileMib: 64 },
  ...{ trees: [2000, 10_000], cuts: [10_000] },
};

type Say = (line: string) => void;

export async function benchSync(
  { quick, install, only, rounds, directory }: BenchOptions,
  say: Say,
  signal: AbortSignal,
): Promise<unknown> {
  const programs = quick ? PROGRAMS : [...PROGRAMS, ...SLOW_PROGRAMS];
  const found = await available(programs, install, say);
  const where = await environment(programs);
  say(`${renderEnvironment(where)}\n`);
  const root = mkdtempSync(join(directory, 'izo-bench-'));
  const tag = `s${String(process.pid % 1000)}`;
  const cable = await layCable(tag);
  if (cable === undefined) {
    say('not measured: this machine does not allow networks of their own to hosts');
    return { environment: where, rows: [] };
  }
  const pairs: Pair[] = [];
  try {
    const hosts = await addPairs(pairs, found, root, cable);
    const { updates, files, fileMib, trees, cuts } = quick ? QUICK : FULL;
    const all = [...updateRows(updates), ...treeRows(files), ...fileRows(fileMib)];
    const rows = all.filter(({ id }) => only?.test(id) !== false);
    const names = pairs.map(({ name }) => name);
    const ratios = names.filter((name) => name !== 'izo').map((name): Ratio => ['izo', name]);
    const progress = ({ id }: Measured): void => void process.stderr.write(`  ${id}\n`);
    const measured = await measureRows(rows, pairs, { rounds, signal }, progress);
    const [izo] = pairs;
    if (hosts !== undefined && izo !== undefined) {
      if (only?.test(untarId(files)) !== false) {
        measured.push(await measureUntar(izo, files, { rounds, signal, root }));
      }
      const catchUp = new CatchUp(hosts, rounds, signal);
      if (only?.test('idle') !== false) measured.push(await catchUp.idle());
      const wanted = only?.test('changes after') === false ? [] : trees;
      measured.push(...(await catchUp.measure(wanted, cuts, progress)));
    }
    say(`\n${renderRows(measured, names, ratios)}\n`);
    const wire = await wireOf(
      pairs,
      rows.find(({ id }) => id.startsWith('1 MiB')),
    );
    for (const [name, mib] of wire) say(`1 MiB inside a file: ${figure(mib)} MiB by ${name}`);
    return {
      environment: where,
      rows: rowsToJson(measured, ratios),
      wire: Object.fromEntries(wire),
    };
  } finally {
    for (const pair of pairs) await pair.end();
    await removeNamespaces(cable.namespaces);
    rmSync(root, { recursive: true, force: true });
  }
}

async function addPairs(
  pairs: Pair[],
  found: ReadonlySet<string>,
  root: string,
  cable: Cable,
): Promise<TwoHosts | undefined> {
  const izo = await izoPair();
  if (izo !== undefined) pairs.push(izo);
  const others = {
    rsync: rsyncPair,
    lsyncd: lsyncdPair,
    unison: unisonPair,
    syncthing: syncthingPair,
  };
  for (const [name, make] of Object.entries(others)) {
    if (found.has(name)) pairs.push(await make(join(root, name), cable));
  }
  return izo?.hosts;
}

/** MiB on the wire for one change, after all has been measured. */
async function wireOf(
  pairs: readonly Pair[],
  row: Row<Pair> | undefined,
): Promise<[string, number][]> {
  const result: [string, number][] = [];
  for (const pair of row === undefined ? [] : pairs) {
    // What has been measured in between may have removed the file.
    await row?.prepare?.(pair);
    const before = await pair.wire();
    await row?.before?.(pair);
    await row?.measure(pair);
    result.push([pair.name, ((await pair.wire()) - before) / 2 ** 20]);
  }
  return result;
}
