import assert from 'node:assert/strict';
import { LogKeeper } from '../../../src/core/lento/log-keeper.js';
import type { Replica } from '../../../src/core/lento/replica.js';
import { IzoError } from '../../../src/core/model/errors.js';

/** A log whose beginning presto trims while it is read. */
class TrimmedMeanwhile {
  header = { firstRecno: 5 };
  bytesFrom = (): number => 1000;
  read = (from: number): { records: unknown[] } => {
    if (from < 10) {
      this.header = { firstRecno: 10 };
      throw new IzoError('journal-trimmed', `Record ${from} was trimmed; the log begins at 10.`);
    }
    return { records: [{ record: { head: { time: { sec: from, nsec: 0 } } } }] };
  };
}

describe('the keeper of a log', () => {
  it('tells how far a receiver lags, also where the log is trimmed while it looks', () => {
    const replica = { reader: new TrimmedMeanwhile(), end: 20 } as unknown as Replica;
    const limits = (): never => assert.fail('nothing is trimmed by whoever looks');
    const keeper = new LogKeeper({
      ...{ replica, limits, receivers: () => ['desk'], givesUp: true },
      log: undefined as never,
    });
    try {
      const lag = keeper.lag('desk', 7);
      assert.deepEqual(lag, { records: 14, bytes: 1000, since: '1970-01-01T00:00:10Z' });
    } finally {
      keeper.close();
    }
  });
});
