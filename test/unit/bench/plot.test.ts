import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseStringPromise } from 'xml2js';
import { plotSvg, type Plot } from '../../../bench/harness/plot.js';

const AXES = { title: 'plot', x: { title: 'x' }, y: { title: 'y' } };

function circles(svg: string): [number, number][] {
  return [...svg.matchAll(/<circle cx="([\d.-]+)" cy="([\d.-]+)"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
}

describe('plots of the benchmark', () => {
  it('are XML, with titles that cannot break it', async () => {
    const plot: Plot = { ...AXES, title: 'a < b & c', lines: [{ title: 'l>', points: [[1, 2]] }] };
    const { svg } = (await parseStringPromise(plotSvg(plot))) as { svg: { title: string[] } };
    assert.deepEqual(svg.title, ['a < b & c']);
  });

  it('have every point within the frame, in the order of the values', () => {
    const value = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
    const point = fc.tuple(value, value);
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 1, maxLength: 9 }),
        fc.boolean(),
        fc.boolean(),
        (points, logX, logY) => {
          const x = { title: 'x', log: logX };
          const y = { title: 'y', log: logY };
          const found = circles(plotSvg({ title: 'p', x, y, lines: [{ title: 'l', points }] }));
          assert.equal(found.length, points.length);
          for (const [i, [cx, cy]] of found.entries()) {
            assert.ok(cx >= 70 && cx <= 620 && cy >= 40 && cy <= 310, `${cx} ${cy}`);
            for (const [j, [otherX, otherY]] of found.entries()) {
              if (points[i]![0] < points[j]![0]) assert.ok(cx <= otherX);
              if (points[i]![1] < points[j]![1]) assert.ok(cy >= otherY);
            }
          }
        },
      ),
    );
  });

  it('begin at 0 where the scale is not one of factors, and refuse 0 where it is', () => {
    const lines = [{ title: 'l', points: [[1, 100] as const, [2, 101] as const] }];
    const [first, second] = circles(plotSvg({ ...AXES, lines }));
    assert.ok(Math.abs(first![1] - second![1]) < 5, 'one percent more does not look like twice');
    const log = { ...AXES, x: { title: 'x', log: true } };
    const none = [{ title: 'l', points: [[0, 1] as const] }];
    assert.throws(() => plotSvg({ ...log, lines: none }), RangeError);
    assert.throws(() => plotSvg({ ...AXES, lines: [] }), RangeError);
  });
});
