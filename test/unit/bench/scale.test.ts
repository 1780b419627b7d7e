import assert from 'node:assert/strict';
import { growth } from '../../../bench/scale/operations.js';
import { renderSizes } from '../../../bench/scale/scale.js';
import type { SizeResult } from '../../../bench/scale/sizes.js';
import { directoryOf, pathOf } from '../../../bench/scale/tree.js';

const MIB = 2 ** 20;

describe('the benchmark of scale', () => {
  it('takes a warm-up for no growth, and a leak for one', () => {
    assert.equal(growth([50, 70, 80, 85, 86, 86, 86, 86, 86, 86]), 0);
    assert.equal(growth([50, 70, 80, 81, 82, 83, 84, 85, 86, 87]), MIB);
    // What comes and goes is not taken for a leak.
    assert.ok(Math.abs(growth([0, 0, 0, 0, 0, 80, 90, 80, 90, 80])) < MIB);
  });

  it('has the same tree for everybody, no directory of which is large', () => {
    const directories = new Map<string, number>();
    const paths = new Set<string>();
    for (let file = 0; file < 10_000; file++) {
      paths.add(pathOf(file));
      directories.set(directoryOf(file), (directories.get(directoryOf(file)) ?? 0) + 1);
      assert.ok(pathOf(file).startsWith(`${directoryOf(file)}/`));
    }
    assert.equal(paths.size, 10_000);
    assert.deepEqual(new Set(directories.values()), new Set([50]));
  });

  it('prints times by file and by record, and what is kept by node', () => {
    const usage = { rssMib: 80, peakMib: 90, descriptors: 40, nodes: 1 };
    const size: SizeResult = {
      files: 1_000,
      seconds: {
        'first mount': 2,
        find: 0.05,
        'open + read + close': 0.01,
        'scan of the log': 0.004,
      },
      sample: 100,
      records: 2_000,
      before: usage,
      walked: { ...usage, rssMib: 81, nodes: 1_024 },
      forgotten: usage,
      replayed: { records: 2_000, readSeconds: 0.02, seconds: 0.1, growthMib: 3 },
    };
    const lines = renderSizes([size])
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    const value = (what: string): string | undefined => lines.find(([row]) => row === what)?.at(-1);
    assert.deepEqual(lines[0], ['ROW', 'UNIT', '1000 files']);
    assert.equal(value('first mount'), '2000');
    assert.equal(value('find'), '50.0');
    assert.equal(value('open + read + close'), '100');
    assert.equal(value('scan of the log'), '2.00');
    assert.equal(value('replay in another cache'), '50.0');
    assert.equal(value('memory a node'), '1024');
    assert.equal(value('du'), '?', 'what was not measured');
  });
});
