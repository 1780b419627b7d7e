import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LIMITS } from '../../../src/core/model/limits.js';
import {
  acknowledged,
  batchAnswered,
  batchSent,
  logGrew,
  pending,
  senderFor,
  startBatch,
  type SenderState,
} from '../../../src/core/replication/sender.js';

type Step = {
  readonly kind: 'grow' | 'start' | 'sent' | 'answered' | 'heard';
  readonly by: number;
};

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('grow', 'start', 'sent', 'answered', 'heard'),
    by: fc.integer({ min: 0, max: 5 }),
  }),
  { maxLength: 100 },
);

/** What can happen next, as its shell does it; an event that cannot be now changes nothing. */
function take(state: SenderState, { kind, by }: Step): SenderState {
  switch (kind) {
    case 'grow':
      return logGrew(state, state.end + by);
    case 'start':
      return startBatch(state) ?? state;
    case 'sent':
      return state.reading ? batchSent(state, Math.min(state.next + 1 + by, state.end + 1)) : state;
    case 'answered':
      return state.inFlight > 0
        ? batchAnswered(state, Math.min(state.acked + by, state.next))
        : state;
    case 'heard':
      return acknowledged(state, Math.min(state.acked + by, state.next));
  }
}

describe('the stream of records to a peer', () => {
  it('acknowledges nothing that was not sent, sends nothing that is not there, and keeps to its window', () => {
    fc.assert(
      fc.property(fc.nat({ max: 9 }), steps, (end, all) => {
        let state = senderFor(1, end);
        for (const step of all) {
          const after = take(state, step);
          assert(after.acked <= after.next && after.next <= after.end + 1);
          assert(after.acked >= state.acked && after.next >= state.next && after.end >= state.end);
          assert(after.inFlight + (after.reading ? 1 : 0) <= LIMITS.batchesInFlight);
          state = after;
        }
      }),
    );
  });

  it('reads one batch at a time, for it is not known where the next begins', () => {
    const reading = startBatch(senderFor(1, 10));
    assert.equal(reading?.reading, true);
    assert.equal(startBatch(reading), undefined);
    assert.equal(startBatch(batchSent(reading, 5))?.next, 5);
  });

  it('has nothing to do at the end of the log, until that grows', () => {
    const done = senderFor(4, 3);
    assert.equal(startBatch(done), undefined);
    assert.equal(pending(done), 0);
    assert.equal(startBatch(logGrew(done, 4))?.next, 4);
    assert.equal(pending(logGrew(done, 4)), 1);
  });

  it('goes on when a batch of a full window is answered', () => {
    let state = senderFor(1, 100);
    for (let i = 0; i < LIMITS.batchesInFlight; i++) {
      state = batchSent(startBatch(state)!, state.next + 1);
    }
    assert.equal(startBatch(state), undefined);
    assert.equal(startBatch(acknowledged(state, 3)), undefined);
    assert.equal(startBatch(batchAnswered(state, 2))?.next, LIMITS.batchesInFlight + 1);
  });

  it('ignores what is older than it knows', () => {
    const state = acknowledged(batchSent(startBatch(senderFor(1, 9))!, 8), 6);
    assert.equal(acknowledged(state, 3), state);
    assert.equal(batchAnswered(state, 3).acked, 6);
    assert.equal(logGrew(state, 2), state);
  });
});
