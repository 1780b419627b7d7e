import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { FuseOpcode } from '../../../src/core/fuse/device/protocol.js';
import { Activity } from '../../../src/core/presto/trace/activity.js';
import { Latencies } from '../../../src/core/presto/trace/latencies.js';
import { TraceStream } from '../../../src/core/presto/trace/trace-stream.js';
import {
  isWantedEvent,
  readTraceFilter,
  TRACED_OPERATIONS,
  type TraceEvent,
} from '../../../src/core/psdev/trace.js';

const EVENT: TraceEvent = {
  time: 0,
  operation: 'rename',
  path: 'a/b',
  to: 'c/d',
  pid: 10,
  thread: 11,
  command: 'mv',
  uid: 1000,
  gid: 1000,
  state: 'done',
  waitedFor: null,
  waitedMs: 0,
  ms: 5,
  error: null,
  bytes: 0,
  byKernel: false,
};

/** A reader that takes what it is sent, or leaves it. */
class Reader {
  readonly batches: { events: TraceEvent[]; dropped: number }[] = [];
  backlog = 0;

  notify(_kind: string, head: Record<string, unknown> = {}): void {
    this.batches.push(head as { events: TraceEvent[]; dropped: number });
  }

  get events(): number {
    return this.batches.reduce((sum, { events }) => sum + events.length, 0);
  }

  get dropped(): number {
    return this.batches.reduce((sum, { dropped }) => sum + dropped, 0);
  }
}

describe('the filter of a trace', () => {
  it('takes what is at a path or below it, at either end of a rename', () => {
    for (const path of ['', 'a', 'a/b', 'c', 'c/d'])
      assert.ok(isWantedEvent(EVENT, { path }), path);
    for (const path of ['a/b/c', 'b', 'c/', 'c/dd', 'A'])
      assert.ok(!isWantedEvent(EVENT, { path }), path);
    assert.ok(!isWantedEvent({ ...EVENT, path: null, to: null }, { path: '' }));
  });

  it('takes those of a process, a user, an operation, and what is slow or fails', () => {
    const takes = (filter: Parameters<typeof isWantedEvent>[1], event = EVENT): boolean =>
      isWantedEvent(event, filter);
    assert.deepEqual([takes({ pid: 10 }), takes({ pid: 11 })], [true, false]);
    assert.deepEqual([takes({ uid: 1000 }), takes({ uid: 0 })], [true, false]);
    assert.deepEqual([takes({ except: 10 }), takes({ except: 11 })], [false, true]);
    assert.deepEqual([takes({ slowMs: 5 }), takes({ slowMs: 6 })], [true, false]);
    assert.equal(takes({ slowMs: 0 }, { ...EVENT, state: 'waits' }), false);
    assert.equal(takes({ errors: true }), false);
    assert.equal(takes({ errors: true }, { ...EVENT, error: 'EPERM' }), true);
    assert.deepEqual(
      [takes({ operations: ['open', 'rename'] }), takes({ operations: [] })],
      [true, false],
    );
  });

  it('is refused where it is none', () => {
    for (const head of [{ path: 1 }, { operations: 'open' }, { operations: [1] }, { pid: -1 }])
      assert.throws(() => readTraceFilter(head), /the other end/);
    assert.deepEqual(readTraceFilter({}), { errors: false });
  });

  it('knows all operations that there are', () => {
    const silent = ['forget', 'batch_forget', 'init', 'destroy', 'interrupt'];
    const same: Record<string, string> = {
      rename2: 'rename',
      readdirplus: 'readdir',
      tmpfile: 'create',
    };
    const words = Object.keys(FuseOpcode).map((word) => word.toLowerCase());
    const shown = words.filter((word) => !silent.includes(word)).map((word) => same[word] ?? word);
    assert.deepEqual([...new Set(shown)].sort(), [...TRACED_OPERATIONS].sort());
  });
});

describe('a stream of operations', () => {
  it('has all of them for a reader that keeps up', async () => {
    const reader = new Reader();
    const stream = new TraceStream(reader, {});
    for (let i = 0; i < 1300; i++) stream.take({ ...EVENT, time: i });
    assert.equal(reader.events, 0);
    await sleep(50);
    const times = reader.batches.flatMap(({ events }) => events.map(({ time }) => time));
    assert.deepEqual(
      times,
      Array.from({ length: 1300 }, (_, i) => i),
    );
    assert.equal(reader.dropped, 0);
    stream.close();
  });

  it('keeps only so many for one that does not, and says how many are missing', async () => {
    const reader = new Reader();
    reader.backlog = 2 ** 20;
    const stream = new TraceStream(reader, {});
    for (let i = 0; i < 100_000; i++) stream.take(EVENT);
    await sleep(50);
    assert.equal(reader.events, 0);
    reader.backlog = 0;
    await sleep(50);
    const { events, dropped } = reader;
    assert.deepEqual([events, dropped], [8192, 100_000 - 8192]);
    stream.close();
  });
});

describe('what is counted of operations', () => {
  it('has the time that a share of them took, to within a fifth', () => {
    const latencies = new Latencies();
    assert.equal(latencies.percentile(0.5), null);
    for (let ms = 1; ms <= 1000; ms++) latencies.add(ms / 10);
    for (const [share, exact] of [
      [0.5, 50],
      [0.95, 95],
      [1, 100],
    ] as const) {
      // prettier-ignore
      const found = latencies.percentile(share) ?? 0;
      assert.ok(found >= exact && found <= exact * 1.2, `${share}: ${found}`);
    }
    latencies.clear();
    latencies.add(0);
    latencies.add(1e12);
    assert.ok((latencies.percentile(0.5) ?? 1) < 0.002);
    assert.ok((latencies.percentile(1) ?? 0) > 3_600_000);
  });

  it('is by kind and process, the most first, and begins anew with each report', () => {
    const activity = new Activity();
    const take = (event: Partial<TraceEvent>, times: number): void => {
      for (let i = 0; i < times; i++) activity.take({ ...EVENT, ...event });
    };
    take({ operation: 'write', bytes: 10 }, 3);
    take({ operation: 'read', bytes: 7, pid: 20, error: 'EIO' }, 5);
    take({ operation: 'mkdir', state: 'waits' }, 9);
    take({ operation: 'release', pid: 0 }, 1);
    const { all, kinds, processes } = activity.report();
    const { operations, errors, written, read } = all;
    assert.deepEqual([operations, errors, written, read], [9, 5, 30, 35]);
    assert.deepEqual(
      kinds.map((kind) => [kind.operation, kind.operations]),
      [
        ['read', 5],
        ['write', 3],
        ['release', 1],
      ],
    );
    assert.deepEqual(
      processes.map((process) => [process.pid, process.operations, process.read, process.written]),
      [
        [20, 5, 35, 0],
        [10, 3, 0, 30],
      ],
    );
    const after = activity.report();
    assert.deepEqual([after.all.operations, after.all.p50, after.kinds], [0, null, []]);
  });

  it('does not count as errors what only says that something is not there', () => {
    const activity = new Activity();
    const failed: [operation: string, error: string][] = [
      ['lookup', 'ENOENT'],
      ['getxattr', 'ENODATA'],
      ['lookup', 'EACCES'],
      ['unlink', 'ENOENT'],
    ];
    for (const [operation, error] of failed) {
      activity.take({ ...EVENT, operation, error });
    }
    const { all, kinds } = activity.report();
    assert.deepEqual([all.operations, all.errors], [4, 2]);
    const errors = Object.fromEntries(kinds.map((kind) => [kind.operation, kind.errors]));
    assert.deepEqual(errors, { lookup: 1, getxattr: 0, unlink: 1 });
  });

  it('does not grow with the number of processes', () => {
    const activity = new Activity();
    for (let pid = 1; pid <= 5_000; pid++) activity.take({ ...EVENT, pid });
    const { all, processes } = activity.report();
    assert.equal(all.operations, 5_000);
    assert.equal(processes.length, 20);
  });
});
