import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/core/system/processes.js';
import type { Bar, Row } from '../harness/row.js';
import type { Fixtures } from './fixtures.js';
import { NOT_SLOWER } from './metadata-rows.js';
import { settle, type Mounted } from './mounted.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM_MS = 600_000;

/** One program run to its end. */
interface Plan {
  readonly title: string;
  readonly command: readonly string[];
  readonly input?: string;
  /** Untimed, before each run, in the same directory. */
  readonly ready?: (directory: string) => unknown;
  readonly bar?: Bar;
}

/** Programs as users run them. `programs`: which are installed. */
export function programRows(
  fixtures: Fixtures,
  programs: ReadonlySet<string>,
  quick: boolean,
): Row<Mounted>[] {
  const plans = treePlans(fixtures);
  if (programs.has('git')) plans.push(...gitPlans(fixtures));
  if (programs.has('sqlite3')) plans.push(sqlitePlan(quick ? 50 : 200));
  if (!quick) plans.push(typescriptPlan());
  return plans.map(programRow);
}

function treePlans({ tar, files }: Fixtures): Plan[] {
  const untar = (directory: string) => run('tar', ['-xf', tar], { cwd: directory });
  const of = `${files} small files`;
  return [
    { title: `untar ${of}`, command: ['tar', '-xf', tar], bar: NOT_SLOWER },
    { title: `rm -r ${of}`, command: ['rm', '-r', 'tree'], ready: untar, bar: NOT_SLOWER },
    { title: `cp -a ${of}`, command: ['cp', '-a', 'tree', 'copy'], ready: untar, bar: NOT_SLOWER },
  ];
}

function gitPlans({ repository }: Fixtures): Plan[] {
  const clone = ['clone', '-q', '--no-hardlinks', repository, 'clone'];
  const ready = (directory: string) => run('git', clone, { cwd: directory });
  return [
    { title: 'git clone', command: ['git', ...clone] },
    { title: 'git status', command: ['git', '-C', 'clone', 'status', '--short'], ready },
  ];
}

/** Each INSERT is a transaction, synced as sqlite does by default. */
function sqlitePlan(transactions: number): Plan {
  const inserts = Array.from({ length: transactions }, (_, n) => `INSERT INTO t VALUES(${n});`);
  return {
    title: `sqlite3, ${transactions} transactions`,
    command: ['sqlite3', 'db'],
    input: ['CREATE TABLE t(n INTEGER);', ...inserts].join('\n'),
  };
}

/** This project itself: many small reads, and as many files written. */
function typescriptPlan(): Plan {
  const tsc = join(PROJECT, 'node_modules/typescript/bin/tsc');
  return {
    title: 'tsc of izo',
    command: [process.execPath, tsc, '-p', 'izo'],
    ready(directory) {
      const copy = join(directory, 'izo');
      mkdirSync(copy);
      for (const name of ['src', 'tsconfig.json', 'package.json']) {
        cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
      }
      symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
    },
  };
}

function programRow({ title, command, input, ready, bar }: Plan): Row<Mounted> {
  const place = ({ directory }: Mounted): string => join(directory, 'program');
  const [program = '', ...args] = command;
  return {
    id: title,
    unit: 's',
    amount: 1,
    bars: bar === undefined ? [] : [bar],
    async before(system) {
      mkdirSync(place(system));
      await ready?.(place(system));
      settle(system);
    },
    async measure(system) {
      const options = { cwd: place(system), timeoutMs: PROGRAM_MS };
      const begin = performance.now();
      await run(program, args, input === undefined ? options : { ...options, input });
      return (performance.now() - begin) / 1e3;
    },
    after(system) {
      rmSync(place(system), { recursive: true });
    },
  };
}
