import assert from 'node:assert/strict';
import {
  newClient,
  reintegrating,
  stepClient,
  type ClientEffect,
  type ClientEvent,
  type ClientState,
} from '../../../src/core/replication/client.js';

/** Feeds events, one after the other. @returns the last state and the effects of the last event. */
function run(start: ClientState, ...events: ClientEvent[]): [ClientState, ClientEffect[]] {
  let state = start;
  let effects: readonly ClientEffect[] = [];
  for (const event of events) [state, effects] = stepClient(state, event);
  return [state, [...effects]];
}

/** A client that is connected and in step: its log ends at `end`, the server has all of it. */
function connected(end = 0, expected = 1): ClientState {
  const [state] = run(
    newClient(end, expected),
    { type: 'link-up' },
    { type: 'presto-released', end },
    { type: 'hello', theirs: end + 1 },
  );
  return state;
}

describe('client machine', () => {
  it('shuts the gate before it says hello, so that it knows what was done while cut off', () => {
    const [closing, first] = run(newClient(3, 1), { type: 'link-up' });
    assert.deepEqual(first, [{ type: 'gate', state: 'absent' }]);
    const [greeting, second] = run(closing, { type: 'presto-released', end: 4 });
    assert.deepEqual(second, [{ type: 'say-hello' }]);
    assert.equal(greeting.end, 4);
  });

  it('asks for the permit once, however many wait', () => {
    const [asked, effects] = run(connected(), { type: 'want' });
    assert.deepEqual(effects, [{ type: 'ask-permit' }]);
    assert.deepEqual(run(asked, { type: 'want' })[1], []);
  });

  it('uses a grant only when the log of the server is applied so far', () => {
    const [granted, early] = run(
      connected(),
      { type: 'want' },
      { type: 'granted', generation: 2, upto: 5 },
    );
    assert.deepEqual(early, []);
    assert.deepEqual(run(granted, { type: 'applied', expected: 5 })[1], []);
    const [held, late] = run(granted, { type: 'applied', expected: 6 });
    assert.deepEqual(late, [{ type: 'gate', state: 'held' }]);
    assert.equal(held.permit.type, 'held');
  });

  it('answers a revocation when presto has stopped, and goes on sending what was made before', () => {
    const [held] = run(connected(), { type: 'granted', generation: 2, upto: 0 });
    const [revoked, effects] = run(held, { type: 'revoked', generation: 2 });
    assert.deepEqual(effects, [{ type: 'gate', state: 'absent' }]);
    const [, answer] = run(revoked, { type: 'presto-released', end: 2 });
    assert.deepEqual(answer, [
      { type: 'answer-revoke', end: 2 },
      { type: 'send-batch', from: 1 },
    ]);
  });

  it('answers a revocation at once where the grant was not in use yet', () => {
    const [granted] = run(connected(), { type: 'granted', generation: 2, upto: 9 });
    const [, effects] = run(granted, { type: 'revoked', generation: 2 });
    assert.deepEqual(effects, [{ type: 'answer-revoke', end: 0 }]);
  });

  it('sends what was made while cut off only with the permit', () => {
    const [cutOff] = run(newClient(0, 1), { type: 'log-grew', end: 3 });
    const [up, effects] = run(
      cutOff,
      { type: 'link-up' },
      { type: 'presto-released', end: 3 },
      { type: 'hello', theirs: 1 },
    );
    assert.ok(reintegrating(up));
    assert.deepEqual(effects, [{ type: 'acknowledged', expected: 1 }, { type: 'ask-permit' }]);
    const [, sending] = run(up, { type: 'granted', generation: 2, upto: 0 });
    assert.deepEqual(sending, [
      { type: 'gate', state: 'held' },
      { type: 'send-batch', from: 1 },
    ]);
  });

  it('applies news of the server when it has none of its own', () => {
    const [, effects] = run(connected(), { type: 'batch', acked: 1, updates: true });
    assert.deepEqual(effects, [{ type: 'apply-batch' }]);
  });

  it('takes what the server says it has for an acknowledgement, before it judges the batch', () => {
    const [held] = run(
      connected(),
      { type: 'granted', generation: 2, upto: 0 },
      { type: 'log-grew', end: 2 },
    );
    const [, effects] = run(held, { type: 'batch', acked: 3, updates: true });
    assert.deepEqual(effects, [{ type: 'apply-batch' }]);
  });

  it('refuses news of the server while it has updates that the server has not seen', () => {
    const [up] = run(
      newClient(3, 1),
      { type: 'link-up' },
      { type: 'presto-released', end: 3 },
      { type: 'hello', theirs: 1 },
    );
    const [diverged, effects] = run(up, { type: 'batch', acked: 1, updates: true });
    assert.equal(diverged.link, 'diverged');
    assert.deepEqual(effects, [{ type: 'refuse-batch' }, { type: 'gate', state: 'disconnected' }]);
  });

  it('passes over a batch that has none of the updates it lacks', () => {
    const [up] = run(
      newClient(3, 1),
      { type: 'link-up' },
      { type: 'presto-released', end: 3 },
      { type: 'hello', theirs: 1 },
    );
    assert.equal(run(up, { type: 'batch', acked: 1, updates: false })[0].link, 'up');
  });

  it('notices that the server has records of its log which it has lost', () => {
    const [state] = run(
      newClient(3, 1),
      { type: 'link-up' },
      { type: 'presto-released', end: 3 },
      { type: 'hello', theirs: 9 },
    );
    assert.equal(state.link, 'diverged');
  });

  it('opens the gate to the policy when the link is lost, whatever it was doing', () => {
    const states = [
      connected(),
      run(connected(), { type: 'want' })[0],
      run(connected(), { type: 'granted', generation: 2, upto: 0 })[0],
      run(newClient(0, 1), { type: 'link-up' })[0],
    ];
    for (const state of states) {
      const [down, effects] = run(state, { type: 'link-down' });
      assert.equal(down.link, 'down');
      assert.deepEqual(effects, [{ type: 'gate', state: 'disconnected' }]);
    }
  });

  it('keeps no more batches on their way than the window has', () => {
    let [state] = run(connected(), { type: 'granted', generation: 2, upto: 0 });
    let sent = 0;
    let effects: ClientEffect[];
    [state, effects] = run(state, { type: 'log-grew', end: 100_000 });
    while (effects.some((effect) => effect.type === 'send-batch')) {
      sent++;
      [state, effects] = run(state, { type: 'batch-sent', next: sent * 10 + 1 });
    }
    assert.equal(sent, 4);
    [, effects] = run(state, { type: 'batch-answered', expected: 11 });
    assert.ok(effects.some((effect) => effect.type === 'send-batch'));
  });
});
