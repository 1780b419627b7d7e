#!/usr/bin/env node
/**
 * Runs the checks of the source and the suites of tests, several files at once. The last line is `N passed, N failed`, the
 * exit code 1 where anything failed.
 *
 *   node scripts/test.js [--jobs N] [NAME...]     names of suites (unit, posix, ...) or of checks (lint for all of them)
 */
import { chmodSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasNetworks, ROOT } from './testing/child.js';
import { Pool } from './testing/pool.js';
import { Report } from './testing/report.js';
import { leftovers, sweep } from './testing/sweep.js';

const bin = (path) => join(ROOT, 'node_modules', path);

/** Each counts as one test. */
const CHECKS = {
  eslint: [bin('eslint/bin/eslint.js'), '.'],
  prettier: [bin('prettier/bin/prettier.cjs'), '--check', '.'],
  depcruise: [bin('dependency-cruiser/bin/dependency-cruise.mjs'), 'src'],
  types: [bin('typescript/bin/tsc'), '-p', 'test'],
};

const SUITES = ['unit', 'scenarios', 'sim', 'commands', 'posix', 'crash', 'cluster'];

/** They begin first in their suites, so that not one of them is all that is left to do in the end. */
const LONG = [
  'test/crash/power-loss.test.ts',
  'test/cluster/howto.test.ts',
  'test/cluster/kill.test.ts',
];

/** They measure, or look at all there is on the host: nothing else may run at the same time. */
const ALONE = ['test/cluster/latency.test.ts', 'test/commands/package.test.ts'];

/** Most tests wait now and then: for a disk, for another process, for a time to be over. */
const JOBS = availableParallelism() + 1;

/** A hang must end before whoever runs the tests loses patience, and say where it was. */
const TOTAL_MS = 15 * 60_000;

function say(text) {
  process.stdout.write(text);
}

function testFiles(suite) {
  const directory = join(ROOT, 'test', suite);
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join('test', suite, name));
  const isLong = (file) => LONG.includes(file);
  return [...files.filter(isLong), ...files.filter((file) => !isLong(file))];
}

function usage(message) {
  process.stderr.write(`test: ${message}\n`);
  process.exit(2);
}

function readArguments() {
  const { values, positionals: names } = parseArgs({
    options: { jobs: { type: 'string', default: String(hasNetworks() ? JOBS : 1) } },
    allowPositionals: true,
  });
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) usage(`--jobs is a number, not "${values.jobs}"`);
  const unknown = names.filter(
    (name) => name !== 'lint' && !(name in CHECKS) && !SUITES.includes(name),
  );
  if (unknown.length > 0) {
    const known = ['lint', ...Object.keys(CHECKS), ...SUITES].join(', ');
    usage(`there is no ${unknown.join(', ')}; there are ${known}`);
  }
  const isChosen = (name) => names.length === 0 || names.includes(name);
  return {
    jobs,
    checks: Object.keys(CHECKS).filter((name) => isChosen(name) || names.includes('lint')),
    suites: SUITES.filter(isChosen),
  };
}

/** Everything that has to be done, in the order in which it begins. */
function plan(report, checks, suites) {
  const ofChecks = checks.map((name) => ({ block: report.block(name, 1), args: CHECKS[name] }));
  const ofSuites = suites.flatMap((suite) => {
    const files = testFiles(suite);
    const block = report.block(suite, files.length, true);
    return files.map((file) => ({ block, file }));
  });
  return [...ofChecks, ...ofSuites];
}

async function main() {
  const { jobs, checks, suites } = readArguments();
  // All that tests make is in it, so that it is found whatever happens.
  const directory = mkdtempSync(join(tmpdir(), 'izo-test-'));
  // Tests act as other users, too.
  chmodSync(directory, 0o1777);
  let isStopped = false;
  const report = new Report((text) => {
    if (!isStopped) say(text);
  });
  const pool = new Pool(report, directory, hasNetworks());
  const stop = async (why) => {
    isStopped = true;
    say(`\n${why}; were running: ${pool.running.join(', ') || 'nothing'}\n`);
    pool.stop();
    await sweep(directory);
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => void stop(signal));
  }
  const late = `did not end within ${TOTAL_MS / 60_000} minutes`;
  setTimeout(() => void stop(late), TOTAL_MS).unref();

  const all = plan(report, checks, suites);
  await pool.run(
    all.filter(({ file }) => !ALONE.includes(file)),
    jobs,
  );
  await pool.run(
    all.filter(({ file }) => ALONE.includes(file)),
    1,
  );

  if (isStopped) return;
  for (const line of leftovers(directory)) report.complain(`a test has left ${line}`);
  await sweep(directory);
  if (suites.length > 0 && all.length === checks.length) report.complain('there are no tests');
  process.exitCode = report.end() > 0 ? 1 : 0;
}

await main();
