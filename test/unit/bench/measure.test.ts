import assert from 'node:assert/strict';
import { measureRows, turned } from '../../../bench/harness/measure.js';
import { inUnit, type Row, type System } from '../../../bench/harness/row.js';

const SYSTEMS: System[] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

describe('measuring', () => {
  const neverStopped = new AbortController().signal;

  it('measures one system after the other in each round, and begins with another one', async () => {
    const order: string[] = [];
    const row: Row<System> = {
      id: 'row',
      unit: 's',
      amount: 1,
      measure: ({ name }) => {
        order.push(name);
        return order.length;
      },
    };
    const [measured] = await measureRows([row], SYSTEMS, { rounds: 2, signal: neverStopped });
    // The first round does not count.
    assert.deepEqual(order, ['a', 'b', 'c', 'b', 'c', 'a', 'c', 'a', 'b']);
    assert.deepEqual(measured!.samples.get('a'), [6, 8]);
    assert.deepEqual(measured!.samples.get('c'), [5, 7]);
  });

  it('measures a row where it applies only', async () => {
    const row: Row<System> = {
      ...{ id: 'row', unit: 's', amount: 1 },
      appliesTo: ({ name }) => name !== 'b',
      measure: () => 1,
    };
    const [measured] = await measureRows([row], SYSTEMS, { rounds: 1, signal: neverStopped });
    assert.deepEqual([...measured!.samples.keys()], ['a', 'c']);
  });

  it('prepares once, makes ready and clears each time', async () => {
    const steps: string[] = [];
    const step = (name: string) => () => void steps.push(name);
    const row: Row<System> = {
      id: 'row',
      unit: 's',
      amount: 1,
      prepare: step('prepare'),
      before: step('before'),
      measure: () => {
        steps.push('measure');
        return 1;
      },
      after: step('after'),
      finish: step('finish'),
    };
    await measureRows([row], SYSTEMS.slice(0, 1), { rounds: 1, signal: neverStopped });
    const round = ['before', 'measure', 'after'];
    assert.deepEqual(steps, ['prepare', ...round, ...round, 'finish']);
  });

  it('stops between two measurements', async () => {
    const stop = new AbortController();
    let measured = 0;
    const row: Row<System> = {
      id: 'row',
      unit: 's',
      amount: 1,
      measure: () => {
        if (++measured === 4) stop.abort(new Error('enough'));
        return 1;
      },
    };
    await assert.rejects(measureRows([row], SYSTEMS, { rounds: 5, signal: stop.signal }), /enough/);
    assert.equal(measured, 4);
  });

  it('turns lists', () => {
    assert.deepEqual(turned([1, 2, 3], 4), [2, 3, 1]);
    assert.deepEqual(turned([], 3), []);
  });

  it('gives seconds in units', () => {
    assert.equal(inUnit(2, { unit: 'µs', amount: 1000 }), 2000);
    assert.equal(inUnit(2, { unit: 'ms', amount: 1 }), 2000);
    assert.equal(inUnit(2, { unit: 's', amount: 1 }), 2);
    assert.equal(inUnit(2, { unit: 'MiB/s', amount: 512 }), 256);
  });
});
