import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LIMITS } from '../../../src/core/model/limits.js';
import {
  newClient,
  reintegrating,
  stepClient,
  type ClientEffect,
  type ClientEvent,
  type ClientState,
} from '../../../src/core/replication/client.js';

/** A client's machine, and the effects of its last step. */
class Machine {
  state: ClientState;
  effects: readonly ClientEffect[] = [];

  constructor(end = 0, expected = 1) {
    this.state = newClient(end, expected);
  }

  step(event: ClientEvent): this {
    [this.state, this.effects] = stepClient(this.state, event);
    return this;
  }

  /** The link is up; the server expects `theirs`. */
  link(theirs = this.state.end + 1): this {
    this.step({ type: 'link-up' });
    this.step({ type: 'presto-released', end: this.state.end });
    return this.step({ type: 'hello', theirs });
  }

  /** It has asked for the permit, and got it. */
  hold(generation = 2, upto = this.state.expected - 1): this {
    return this.step({ type: 'want' }).step({ type: 'granted', generation, upto });
  }

  get types(): readonly string[] {
    return this.effects.map((e) => (e.type === 'gate' ? `gate ${e.state}` : e.type));
  }
}

const BATCH = { type: 'batch', acked: 1, updates: true, next: 2 } as const;

describe('a fileset at its replicator', () => {
  it('stops presto before it says hello', () => {
    const machine = new Machine(3).step({ type: 'link-up' });
    assert.deepEqual(machine.types, ['gate absent']);
    machine.step({ type: 'presto-released', end: 5 });
    assert.deepEqual(machine.types, ['say-hello']);
    assert.equal(machine.state.end, 5);
  });

  it('waits for the answer of presto that belongs to this link', () => {
    const machine = new Machine().step({ type: 'link-up' }).step({ type: 'link-down' });
    machine.step({ type: 'link-up' }).step({ type: 'presto-released', end: 0 });
    assert.deepEqual(machine.types, []);
    machine.step({ type: 'presto-released', end: 2 });
    assert.deepEqual(machine.types, ['say-hello']);
    assert.equal(machine.step({ type: 'hello', theirs: 1 }).state.offline, 2);
  });

  it('ignores a hello that comes after the link is gone', () => {
    const machine = new Machine().step({ type: 'link-up' });
    machine.step({ type: 'presto-released', end: 0 }).step({ type: 'link-down' });
    machine.step({ type: 'hello', theirs: 1 });
    assert.equal(machine.state.link, 'down');
    assert.deepEqual(machine.types, []);
  });

  it('asks for the permit when programs want it, once', () => {
    const machine = new Machine().link().step({ type: 'want' });
    assert.deepEqual(machine.types, ['ask-permit']);
    assert.deepEqual(machine.step({ type: 'want' }).types, []);
  });

  it('asks on the next link for what was wanted while it came up', () => {
    const machine = new Machine().step({ type: 'link-up' }).step({ type: 'want' });
    machine.step({ type: 'presto-released', end: 0 }).step({ type: 'hello', theirs: 1 });
    assert(machine.types.includes('ask-permit'));
  });

  it('uses the permit when all is applied that the grant names', () => {
    const machine = new Machine().link().hold(2, 3);
    assert.deepEqual(machine.types, []);
    assert.deepEqual(machine.step({ type: 'applied', expected: 3 }).types, []);
    assert.deepEqual(machine.step({ type: 'applied', expected: 4 }).types, ['gate held']);
  });

  it('sends what was made with the permit, also while it is given back', () => {
    const machine = new Machine().link().hold().step({ type: 'log-grew', end: 1 });
    assert.deepEqual(machine.effects, [{ type: 'send-batch', from: 1 }]);
    machine.step({ type: 'batch-sent', next: 2 }).step({ type: 'revoked', generation: 2 });
    assert.deepEqual(machine.types, ['gate absent']);
    machine.step({ type: 'presto-released', end: 2 });
    assert.deepEqual(machine.effects, [
      { type: 'answer-revoke', end: 2 },
      { type: 'send-batch', from: 2 },
    ]);
  });

  it('sends what was made while cut off with the permit only', () => {
    const machine = new Machine(3).link(2);
    assert.deepEqual(machine.types, ['acknowledged', 'ask-permit']);
    machine.step({ type: 'granted', generation: 2, upto: 0 });
    assert.deepEqual(machine.types, ['gate held', 'send-batch']);
  });

  it('gives back at once what it cannot use yet, and asks again', () => {
    const machine = new Machine().link().hold(2, 3).step({ type: 'revoked', generation: 2 });
    assert.deepEqual(machine.effects, [{ type: 'answer-revoke', end: 0 }, { type: 'ask-permit' }]);
  });

  it('does not make the server wait for what it cannot send', () => {
    const machine = new Machine(5).link(3);
    machine
      .step({ type: 'granted', generation: 2, upto: 1 })
      .step({ type: 'revoked', generation: 2 });
    assert.deepEqual(machine.effects[0], { type: 'answer-revoke', end: 2 });
  });

  it('uses a grant that its revocation has overtaken, and gives it back then', () => {
    const machine = new Machine().link().step({ type: 'want' });
    assert.deepEqual(machine.step({ type: 'revoked', generation: 2 }).types, []);
    machine.step({ type: 'granted', generation: 2, upto: 0 });
    assert.deepEqual(machine.types, ['gate held', 'gate absent']);
    assert.equal(machine.state.permit.type, 'absent');
    machine.step({ type: 'presto-released', end: 1 });
    assert.deepEqual(machine.effects[0], { type: 'answer-revoke', end: 1 });
  });

  it('keeps a later grant', () => {
    const machine = new Machine().link().hold(2).step({ type: 'revoked', generation: 2 });
    machine.step({ type: 'presto-released', end: 0 }).hold(4);
    assert.deepEqual(machine.state.permit, { type: 'held', generation: 4 });
  });

  it('begins anew with the generations of the next link: the server may be another process', () => {
    const machine = new Machine().link().hold(7).step({ type: 'revoked', generation: 7 });
    machine.step({ type: 'presto-released', end: 0 }).step({ type: 'link-down' });
    machine.link().hold(2);
    assert.deepEqual(machine.state.permit, { type: 'held', generation: 2 });
  });

  it('has no use for a grant that nobody asked for, nor for one of a link that is gone', () => {
    const granted = { type: 'granted', generation: 2, upto: 0 } as const;
    assert.deepEqual(new Machine().link().step(granted).types, []);
    const down = new Machine().link().step({ type: 'want' }).step({ type: 'link-down' });
    assert.deepEqual(down.types, ['gate disconnected']);
    assert.deepEqual(down.step(granted).types, []);
    assert.equal(down.state.permit.type, 'absent');
  });

  it('answers a revocation of what it does not have', () => {
    const machine = new Machine(4).link().step({ type: 'revoked', generation: 2 });
    assert.deepEqual(machine.effects, [{ type: 'answer-revoke', end: 4 }]);
  });

  it('applies what the server sends, and its own on the way back too', () => {
    assert.deepEqual(new Machine().link().step(BATCH).types, ['apply-batch']);
    const busy = new Machine().link().hold().step({ type: 'log-grew', end: 1 });
    assert.deepEqual(busy.step({ ...BATCH, updates: false }).types, ['apply-batch']);
  });

  it('knows from a batch what the server has, before it judges it', () => {
    const machine = new Machine().link().hold().step({ type: 'log-grew', end: 1 });
    machine.step({ type: 'batch-sent', next: 2 }).step({ ...BATCH, acked: 2 });
    assert.deepEqual(machine.types, ['apply-batch']);
  });

  it('holds what the server sends where both sides have news, and asks for the permit', () => {
    const machine = new Machine(3).link(2);
    assert.deepEqual(machine.types, ['acknowledged', 'ask-permit']);
    assert.deepEqual(machine.step(BATCH).types, ['hold-batch']);
    const more = { ...BATCH, updates: false, next: 4 };
    assert.deepEqual(machine.step(more).types, ['hold-batch']);
    assert.equal(machine.state.held, 4);
  });

  it('merges once the server stands still and all that it has is here', () => {
    const machine = new Machine(3).link(2).step(BATCH);
    assert.deepEqual(machine.step({ type: 'granted', generation: 2, upto: 2 }).types, []);
    assert.deepEqual(machine.step({ ...BATCH, next: 3 }).types, ['hold-batch', 'merge']);
    assert.deepEqual(machine.step({ type: 'log-grew', end: 3 }).types, []);
    machine.step({ type: 'merged', end: 6, expected: 3 });
    assert.deepEqual(machine.effects, [
      { type: 'gate', state: 'held' },
      { type: 'send-batch', from: 2 },
    ]);
    assert.equal(machine.state.sender?.end, 6);
  });

  it('takes nothing while it merges, and gives the permit back only when that is done', () => {
    const machine = new Machine(3).link(2).step(BATCH);
    machine.step({ type: 'granted', generation: 2, upto: 1 });
    assert.deepEqual(machine.types, ['merge']);
    assert.deepEqual(machine.step({ ...BATCH, next: 3 }).types, ['refuse-batch']);
    assert.deepEqual(machine.step({ type: 'revoked', generation: 2 }).types, []);
    machine.step({ type: 'merged', end: 5, expected: 2 });
    assert.deepEqual(machine.types, ['gate held', 'gate absent', 'send-batch']);
    machine.step({ type: 'presto-released', end: 5 });
    assert.deepEqual(machine.effects[0], { type: 'answer-revoke', end: 5 });
  });

  it('takes nothing behind a batch that it refused, until it has said hello again', () => {
    const machine = new Machine(3).link(2).step(BATCH);
    machine.step({ type: 'granted', generation: 2, upto: 1 }).step({ ...BATCH, next: 3 });
    machine.step({ type: 'revoked', generation: 2 });
    machine.step({ type: 'merged', end: 5, expected: 2 });
    assert.deepEqual(machine.step({ ...BATCH, next: 4 }).types, ['refuse-batch']);
    machine.step({ type: 'presto-released', end: 5 }).step({ type: 'link-down' }).link(2);
    assert.deepEqual(machine.step({ ...BATCH, next: 3 }).types, ['hold-batch']);
  });

  it('counts a merge that ends after the link was lost', () => {
    const machine = new Machine(3).link(2).step(BATCH);
    machine.step({ type: 'granted', generation: 2, upto: 1 }).step({ type: 'link-down' });
    machine.step({ type: 'merged', end: 5, expected: 2 });
    assert.deepEqual([machine.state.end, machine.state.expected], [5, 2]);
    assert.deepEqual(machine.types, []);
  });

  it('applies nothing before the link is up', () => {
    const machine = new Machine().step({ type: 'link-up' }).step(BATCH);
    assert.deepEqual(machine.effects, [{ type: 'refuse-batch' }]);
  });

  it('undoes nothing where the logs do not fit', () => {
    const machine = new Machine(3).step({ type: 'link-up' }).step({ type: 'misfit' });
    assert.equal(machine.state.link, 'diverged');
    assert.deepEqual(machine.types, ['gate disconnected']);
  });
});

const recno = fc.integer({ min: 1, max: 12 });
const small = fc.nat({ max: 12 });
const event: fc.Arbitrary<ClientEvent> = fc.oneof(
  fc.constantFrom<ClientEvent>({ type: 'want' }, { type: 'link-up' }, { type: 'link-down' }),
  fc.record({ type: fc.constantFrom('log-grew' as const, 'presto-released' as const), end: small }),
  fc.record({ type: fc.constant('hello' as const), theirs: recno }),
  fc.record({ type: fc.constant('granted' as const), generation: small, upto: small }),
  fc.record({ type: fc.constant('revoked' as const), generation: small }),
  fc.record({
    type: fc.constant('batch' as const),
    acked: recno,
    updates: fc.boolean(),
    next: recno,
  }),
  fc.record({ type: fc.constant('merged' as const), end: small, expected: recno }),
  fc.record({
    type: fc.constantFrom('applied' as const, 'batch-answered' as const),
    expected: recno,
  }),
);

/** A step: what was so before, what happened, and how the gate stands now. */
interface Seen {
  readonly before: ClientState;
  readonly event: ClientEvent;
  readonly machine: Machine;
  readonly gate: string;
}

/** Plays events. A batch that is sent has one record, and presto answers only what it was asked. */
function play(events: readonly ClientEvent[], look: (seen: Seen) => void): void {
  const machine = new Machine();
  let gate = 'disconnected';
  const step = (next: ClientEvent): void => {
    const before = machine.state;
    machine.step(next);
    for (const effect of machine.effects) if (effect.type === 'gate') gate = effect.state;
    look({ before, event: next, machine, gate });
    const sent = machine.effects.find((effect) => effect.type === 'send-batch');
    if (sent?.type === 'send-batch') step({ type: 'batch-sent', next: sent.from + 1 });
  };
  for (const next of events) {
    if (next.type === 'presto-released' && machine.state.stopping === 0) continue;
    if (next.type === 'merged' && !isPossible(machine.state, next)) continue;
    step(next);
  }
}

/** A merge ends once, with more in the log than before, and with what had waited applied. */
function isPossible(state: ClientState, merged: Extract<ClientEvent, { type: 'merged' }>): boolean {
  return state.merging && merged.end > state.end && merged.expected > state.expected;
}

/** Whatever comes, in whatever order: the machine may not rely on peers that behave. */
describe('a replicator that is told anything', () => {
  const always = (look: (seen: Seen) => void): void => {
    const events = fc.array(event, { maxLength: 60 });
    fc.assert(
      fc.property(events, (all) => play(all, look)),
      { numRuns: 300 },
    );
  };

  it('opens the gate only with a permit in use, or cut off', () => {
    always(({ machine: { state }, gate }) => {
      const cutOff = state.link === 'down' || state.link === 'diverged';
      const open = state.permit.type === 'held' ? 'held' : 'absent';
      assert.equal(gate, cutOff ? 'disconnected' : open);
    });
  });

  it('uses a permit only where all is applied that the grant names', () => {
    always(({ before, event: next, machine: { effects, state } }) => {
      if (!effects.some((effect) => effect.type === 'gate' && effect.state === 'held')) return;
      const upto = next.type === 'granted' ? next.upto : undefined;
      const named = before.permit.type === 'granted' ? before.permit.upto : upto;
      assert(named !== undefined && state.expected > named);
    });
  });

  it('applies updates only where the server has all of its own', () => {
    always(({ event: next, machine: { effects, state } }) => {
      if (next.type !== 'batch' || !next.updates) return;
      if (!effects.some((effect) => effect.type === 'apply-batch')) return;
      assert(state.sender !== undefined && state.sender.acked > state.end);
    });
  });

  it('merges only what a grant names, and where the server lacks updates of its own', () => {
    always(({ before, machine: { effects, state } }) => {
      if (!effects.some((effect) => effect.type === 'merge')) return;
      assert(state.permit.type === 'granted' && state.held > state.permit.upto);
      assert(!before.merging && state.link === 'up');
    });
  });

  it('sends only on a link that is up, what was made cut off only with the permit, and keeps to its window', () => {
    always(({ machine: { state, effects } }) => {
      assert.equal(state.sender === undefined, state.link !== 'up');
      assert((state.sender?.inFlight ?? 0) <= LIMITS.batchesInFlight);
      if (!effects.some((effect) => effect.type === 'send-batch')) return;
      assert(state.permit.type === 'held' || !reintegrating(state));
    });
  });

  it('answers each revocation: at once, with the grant that it has overtaken, or when presto has stopped', () => {
    always(({ event: next, machine: { state, effects } }) => {
      if (next.type !== 'revoked') return;
      const answered = effects.some((effect) => effect.type === 'answer-revoke');
      assert(answered || state.stopping > 0 || state.permit.type === 'asked' || keeps(state, next));
    });
  });

  it('never forgets what it has, expects or waits for', () => {
    always(({ before, machine: { state } }) => {
      assert(state.end >= before.end && state.expected >= before.expected && state.stopping >= 0);
    });
  });
});

/** It has a later generation than the one revoked. */
function keeps({ permit }: ClientState, revoked: { readonly generation: number }): boolean {
  return 'generation' in permit && permit.generation > revoked.generation;
}
