import assert from 'node:assert/strict';
import { figure, renderRows, rowsToJson, verdicts } from '../../../bench/harness/report.js';
import type { Bar, Measured, Unit } from '../../../bench/harness/row.js';

const NOT_SLOWER: Bar = { of: 'izo', to: 'bindfs', most: 1 };
const MOST_OF_IT: Bar = { of: 'izo', to: 'bare', most: 1 / 0.9 };

function measured(
  unit: Unit,
  amount: number,
  bars: Bar[],
  samples: Record<string, number[]>,
): Measured {
  return { id: 'row', unit, amount, bars, samples: new Map(Object.entries(samples)) };
}

describe('report of the benchmark', () => {
  const fast = { bare: [1, 1, 1], bindfs: [4, 4, 4], izo: [2, 2, 2] };

  it('puts each row against its bar', () => {
    const rows = [
      measured('µs', 1e6, [NOT_SLOWER], fast),
      measured('MiB/s', 100, [MOST_OF_IT], fast),
      measured('s', 1, [], fast),
    ];
    const pairs = [['izo', 'bindfs'] as const];
    assert.equal(
      renderRows(rows, ['bare', 'bindfs', 'izo'], pairs),
      [
        'ROW  UNIT       bare    bindfs       izo  izo/bindfs  BAR               VERDICT',
        'row  µs     1.00 ±0%  4.00 ±0%  2.00 ±0%        0.50  <= 1.00 x bindfs  met',
        'row  MiB/s   100 ±0%  25.0 ±0%  50.0 ±0%        2.00  >= 90 % of bare   MISSED',
        'row  s      1.00 ±0%  4.00 ±0%  2.00 ±0%        0.50  -                 -',
      ].join('\n'),
    );
  });

  it('meets a bar exactly at it, and misses it just beyond', () => {
    const at = measured('s', 1, [NOT_SLOWER], { izo: [2], bindfs: [2] });
    const beyond = measured('s', 1, [NOT_SLOWER], { izo: [2.01], bindfs: [2] });
    assert.deepEqual(verdicts(at), [{ bar: NOT_SLOWER, met: true, value: 1 }]);
    assert.equal(verdicts(beyond)[0]?.met, false);
  });

  it('misses a row whose every other bar is met', () => {
    const bars: Bar[] = [NOT_SLOWER, { of: 'izo', seconds: 1 }];
    const row = measured('s', 1, bars, fast);
    assert.deepEqual(
      verdicts(row).map(({ met }) => met),
      [true, false],
    );
    assert.match(renderRows([row], ['izo'], []), /MISSED$/);
  });

  it('says that it cannot tell where the other one was not measured', () => {
    const row = measured('µs', 1, [NOT_SLOWER], { bare: [1], izo: [2] });
    assert.deepEqual(verdicts(row), []);
    const text = renderRows([row], ['bare', 'bindfs', 'izo'], [['izo', 'bindfs']]);
    assert.match(text, /not measured$/);
  });

  it('shows three digits', () => {
    assert.deepEqual([0.123, 1.234, 12.34, 123.4, 12_345].map(figure), [
      '0.12',
      '1.23',
      '12.3',
      '123',
      '12345',
    ]);
    assert.equal(figure(NaN), '?');
  });

  it('gives programs all samples, ratios of times and verdicts', () => {
    const row = measured('s', 1, [NOT_SLOWER], fast);
    const [json] = rowsToJson([row], [['izo', 'bindfs']]) as [Record<string, unknown>];
    assert.deepEqual(json['ratios'], [{ of: 'izo', to: 'bindfs', ofTimes: 0.5, spread: 0 }]);
    assert.deepEqual(json['verdicts'], [{ bar: NOT_SLOWER, met: true, value: 0.5 }]);
    const { izo } = json['systems'] as Record<string, unknown>;
    assert.deepEqual(izo, { value: 2, spread: 0, seconds: [2, 2, 2] });
  });
});
