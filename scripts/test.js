#!/usr/bin/env node
/**
 * Runs the checks of the source and the suites of tests, each as a process of its own. The last line is
 * `N passed, N failed`, the exit code 1 where anything failed.
 *
 *   node scripts/test.js [NAME...]     names of suites (unit, posix, ...) or of checks (lint for all of them)
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const bin = (path) => join(ROOT, 'node_modules', path);

/** Each counts as one test. */
const CHECKS = {
  eslint: [bin('eslint/bin/eslint.js'), '.'],
  prettier: [bin('prettier/bin/prettier.cjs'), '--check', '.'],
  depcruise: [bin('dependency-cruiser/bin/dependency-cruise.mjs'), 'src'],
  types: [bin('typescript/bin/tsc'), '-p', 'test'],
};

const SUITES = ['unit', 'scenarios', 'sim', 'commands', 'posix', 'crash', 'cluster'];

/** A hang must end before whoever runs the tests loses patience, and say where it was. */
const TOTAL_MS = 15 * 60_000;

/** What a suite may take to end after its last test: longer, and a test has left something running. */
const LINGER_MS = 15_000;

const deadline = Date.now() + TOTAL_MS;
let running;

function say(line) {
  process.stdout.write(`${line}\n`);
}

/** The whole process group: a test may have daemons. */
function kill(child, signal = 'SIGKILL') {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It is gone already.
  }
}

/** Runs a Node program. `isDone` tells that it should end by itself soon. Resolves to what was wrong, or undefined. */
function runNode(args, { env = {}, isDone = () => false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
      detached: true,
    });
    running = child;
    let trouble;
    let doneAt;
    const watch = setInterval(() => {
      if (doneAt === undefined && isDone()) doneAt = Date.now();
      if (Date.now() > deadline) trouble = `did not end within ${TOTAL_MS / 60_000} minutes`;
      else if (doneAt !== undefined && Date.now() - doneAt > LINGER_MS) {
        trouble = 'ran on after its last test: a test leaves something open';
      }
      if (trouble !== undefined) kill(child);
    }, 250);
    const finish = (wrong) => {
      clearInterval(watch);
      running = undefined;
      resolve(trouble ?? wrong);
    };
    child.once('error', (error) => finish(error.message));
    child.once('exit', (code, signal) => {
      // What a suite leaves behind must not disturb the next one.
      kill(child);
      if (code === 0) finish(undefined);
      else finish(signal === null ? `exit code ${code}` : `ended by ${signal}`);
    });
  });
}

function testFiles(suite) {
  const directory = join(ROOT, 'test', suite);
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join('test', suite, name));
}

async function runCheck(name) {
  say(`\n== ${name}`);
  const wrong = await runNode(CHECKS[name]);
  if (wrong !== undefined) say(`  FAILED ${name}: ${wrong}`);
  return { passed: wrong === undefined ? 1 : 0, failed: wrong === undefined ? 0 : 1 };
}

async function runSuite(suite, directory) {
  const files = testFiles(suite);
  if (files.length === 0) return { passed: 0, failed: 0 };
  say(`\n== ${suite}`);
  const file = join(directory, `${suite}.json`);
  const args = ['--import', 'tsx', bin('mocha/lib/cli/cli.js'), ...files];
  const wrong = await runNode(args, {
    env: { IZO_TEST_COUNTS: file },
    isDone: () => existsSync(file),
  });
  const counts = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { passed: 0, failed: 0 };
  // Failed tests explain a bad end; anything else does not.
  if (wrong === undefined || (counts.failed > 0 && wrong.startsWith('exit code'))) return counts;
  say(`  FAILED ${suite}: ${wrong}`);
  return { passed: counts.passed, failed: counts.failed + 1 };
}

function select(names) {
  const unknown = names.filter(
    (name) => name !== 'lint' && !(name in CHECKS) && !SUITES.includes(name),
  );
  if (unknown.length > 0) {
    const known = ['lint', ...Object.keys(CHECKS), ...SUITES].join(', ');
    process.stderr.write(`test: there is no ${unknown.join(', ')}; there are ${known}\n`);
    process.exit(2);
  }
  const isChosen = (name) => names.length === 0 || names.includes(name);
  return {
    checks: Object.keys(CHECKS).filter((name) => isChosen(name) || names.includes('lint')),
    suites: SUITES.filter(isChosen),
  };
}

async function main() {
  const { checks, suites } = select(process.argv.slice(2));
  const directory = mkdtempSync(join(tmpdir(), 'izo-test-counts-'));
  const total = { passed: 0, failed: 0 };
  const failures = [];
  const add = (name, counts) => {
    if (counts.failed > 0) failures.push(name);
    total.passed += counts.passed;
    total.failed += counts.failed;
    return counts.passed + counts.failed;
  };
  let tests = 0;
  for (const name of checks) add(name, await runCheck(name));
  for (const name of suites) tests += add(name, await runSuite(name, directory));
  rmSync(directory, { recursive: true, force: true });
  const nothingRan = suites.length > 0 && tests === 0;
  if (nothingRan) say('no test ran');
  if (failures.length > 0) say(`\nfailed: ${failures.join(', ')}`);
  process.exitCode = total.failed > 0 || nothingRan ? 1 : 0;
  say(`\n${total.passed} passed, ${total.failed} failed`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    if (running) kill(running);
    process.exit(130);
  });
}
await main();
