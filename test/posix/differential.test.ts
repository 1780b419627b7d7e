import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { compareTrees } from '../../src/core/demo/compare-trees.js';
import { Actor, call, SETTING, type Call } from '../support/commands.js';
import { makeTrees } from '../support/tree.js';

const RUNS = 100;
const CALLS_MAX = 50;

/** Trees are made by different calls at different times; all else has to agree. */
function differences(plain: string, izo: string): string[] {
  return compareTrees(plain, izo).differences.filter((line) => !line.includes(': mtime '));
}

describe('any calls in any order', () => {
  let trees: Awaited<ReturnType<typeof makeTrees>>;
  let run = 0;

  before(async function () {
    this.timeout(60_000);
    trees = await makeTrees('128M');
  });
  after(async function () {
    this.timeout(60_000);
    try {
      await trees.izo.check();
    } finally {
      await trees.izo.remove();
      await trees.plain.remove();
    }
  });

  function compare(script: readonly Call[]): void {
    const name = `run-${++run}`;
    const plain = new Actor(join(trees.plain.root, name));
    const izo = new Actor(join(trees.izo.root, name));
    mkdirSync(plain.root);
    mkdirSync(izo.root);
    const whole = [...SETTING, ...script];
    const lines = whole.map((words) => `  ${words.join(' ')}`);
    try {
      whole.forEach((each, index) => {
        const expected = plain.perform(each);
        const actual = izo.perform(each);
        trees.izo.follow();
        if (actual === expected) return;
        const upto = lines.slice(0, index + 1).join('\n');
        assert.fail(`${upto}\nsays ${actual}, on ext3 ${expected}`);
      });
    } finally {
      plain.closeAll();
      izo.closeAll();
    }
    const found = differences(plain.root, izo.root);
    assert.deepEqual(found, [], `after\n${lines.join('\n')}\n${found.join('\n')}`);
  }

  it('do on a fileset what they do on ext3', () => {
    fc.assert(fc.property(fc.array(call, { minLength: 10, maxLength: CALLS_MAX }), compare), {
      numRuns: RUNS,
      endOnFailure: false,
    });
  }).timeout(60_000);
});
