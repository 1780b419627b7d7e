import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  blockOf,
  blocksIn,
  PAGE,
  plotsOfPart,
  RESULTS,
  type PartResult,
} from '../../../bench/docs.js';

describe('docs/performance.md', () => {
  const page = readFileSync(PAGE, 'utf8');
  const blocks = blocksIn(page);
  const results = new Map(
    readdirSync(RESULTS)
      .filter((name) => name.endsWith('.json'))
      .map((name) => {
        const result = JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as PartResult;
        return [name.replace('.json', ''), result] as const;
      }),
  );

  it('shows what the benchmark has printed, all of it and nothing else', () => {
    assert.deepEqual([...blocks.keys()].sort(), [...results.keys()].sort());
    for (const [part, result] of results) assert.equal(blocks.get(part), blockOf(part, result));
  });

  it('has the plots of what was measured', () => {
    const plots = [...results].flatMap(([part, result]) => [...plotsOfPart(part, result)]);
    assert.ok(plots.length > 0);
    for (const [name, svg] of plots) {
      assert.equal(readFileSync(join(RESULTS, name), 'utf8'), svg, name);
      assert.ok(page.includes(`(performance/${name})`), `${name} is not shown`);
    }
    const drawn = readdirSync(RESULTS).filter((name) => name.endsWith('.svg'));
    assert.deepEqual(drawn.sort(), plots.map(([name]) => name).sort());
  });
});
