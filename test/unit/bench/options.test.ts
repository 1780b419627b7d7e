import assert from 'node:assert/strict';
import { parseOptions, UsageError } from '../../../bench/harness/options.js';

const parse = (...args: string[]) => parseOptions(args, ['fs', 'sync'], '/tmp');

describe('options of the benchmark', () => {
  it('runs all parts with five rounds where nothing is said', () => {
    const { parts, quick, rounds, only, json, directory } = parse();
    assert.deepEqual(parts, ['fs', 'sync']);
    assert.deepEqual([quick, rounds, only, json], [false, 5, undefined, undefined]);
    assert.equal(directory, '/tmp');
  });

  it('takes what is said', () => {
    const options = parse('fs', '--quick', '--only', '^un', '--rounds', '9', '--dir', '/x');
    assert.deepEqual(options.parts, ['fs']);
    assert.ok(options.quick);
    assert.ok(options.only?.test('unlink'));
    assert.deepEqual([options.rounds, options.directory], [9, '/x']);
  });

  for (const args of [['gs'], ['--fast'], ['--only', '('], ['--rounds', '4'], ['--rounds', 'x']]) {
    it(`refuses ${args.join(' ')}`, () => {
      assert.throws(() => parse(...args), UsageError);
    });
  }
});
