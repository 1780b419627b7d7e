'use strict';

const { relative } = require('node:path');
const { inspect, stripVTControlCharacters } = require('node:util');

/** Lines of node and of mocha in a stack tell nothing. */
const NOISE = /^\s*at .*(?:node:internal|node_modules\/(?:mocha|tsx)\/)/;

/** With these a reader sees at once what differs: long values, one below the other. */
function comparison(error) {
  if (!('actual' in error) || !('expected' in error) || error.generatedMessage) return [];
  const show = (value) => (typeof value === 'string' ? value : inspect(value, { depth: 6 }));
  return [`expected: ${show(error.expected)}`, `actual:   ${show(error.actual)}`];
}

function describeError(thrown) {
  if (!(thrown instanceof Error)) return [`thrown: ${inspect(thrown)}`];
  const stack = (thrown.stack ?? '').split('\n').filter((line) => !NOISE.test(line));
  // Some libraries change the message after the stack was taken.
  if (!stack.join('\n').includes(thrown.message))
    stack.unshift(`${thrown.name}: ${thrown.message}`);
  const lines = [...stack, ...comparison(thrown)];
  if (thrown.cause !== undefined) {
    const [first, ...rest] = describeError(thrown.cause);
    lines.push(`caused by ${first}`, ...rest);
  }
  return lines.flatMap((line) => line.split('\n'));
}

/** The outermost describe() around a test: what one line of output stands for. */
function topOf(test) {
  let suite = test.parent;
  while (suite?.parent && !suite.parent.root) suite = suite.parent;
  return suite;
}

/** One line for each top-level describe(), failures in full where they happen, and the total unless it is not wanted. */
class Reporter {
  #counts = { passed: 0, failed: 0, skipped: 0 };
  #group = undefined;
  #total;

  constructor(runner, { reporterOptions: { total = true } = {} } = {}) {
    this.#total = total;
    runner.on('pass', (test) => this.#note(test, 'passed'));
    runner.on('pending', (test) => {
      this.#note(test, 'skipped');
      this.#print(`  skipped: ${test.fullTitle()}`);
    });
    runner.on('fail', (test, error) => {
      this.#note(test, 'failed');
      this.#fail(test, error);
    });
    runner.on('test end', (test) => {
      if (test.duration > test.slow())
        this.#print(`  slow, ${test.duration} ms: ${test.fullTitle()}`);
    });
    runner.once('end', () => this.#end());
  }

  #print(line) {
    process.stdout.write(`${line}\n`);
  }

  #note(test, outcome) {
    this.#counts[outcome] += 1;
    const top = topOf(test);
    if (top !== this.#group?.top) {
      this.#closeGroup();
      this.#group = { top, count: 0, failed: 0, start: Date.now() - (test.duration ?? 0) };
    }
    this.#group.count += 1;
    if (outcome === 'failed') this.#group.failed += 1;
  }

  #closeGroup() {
    if (this.#group === undefined) return;
    const { top, count, failed, start } = this.#group;
    const title = top?.title ? top.title : 'tests outside of describe()';
    const verdict = failed === 0 ? 'ok    ' : 'FAILED';
    this.#print(`  ${verdict} ${title} (${count}, ${Date.now() - start} ms)`);
  }

  #fail(test, error) {
    const file = test.file === undefined ? '' : ` [${relative(process.cwd(), test.file)}]`;
    this.#print(`  FAILURE: ${test.fullTitle()}${file}`);
    for (const line of describeError(error)) this.#print(`      ${stripVTControlCharacters(line)}`);
  }

  #end() {
    this.#closeGroup();
    const { passed, failed, skipped } = this.#counts;
    if (this.#total) this.#print(`  ${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
}

module.exports = Reporter;
