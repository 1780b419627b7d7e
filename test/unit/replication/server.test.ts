import assert from 'node:assert/strict';
import { LIMITS } from '../../../src/core/model/limits.js';
import {
  mayUpdate,
  newServer,
  stepServer,
  type ServerEffect,
  type ServerEvent,
  type ServerState,
} from '../../../src/core/replication/server.js';

/** A server's machine, and the effects of its last step. */
class Machine {
  state: ServerState;
  effects: readonly ServerEffect[] = [];
  now = 0;

  constructor(end = 0) {
    this.state = newServer('S', end, 0);
  }

  step(event: ServerEvent): this {
    [this.state, this.effects] = stepServer(this.state, event, this.now);
    return this;
  }

  /** Another host says hello, and has what it says. */
  join(peer: string, theirs = 1, ours = 1): this {
    return this.step({ type: 'peer-up', peer, theirs, ours, behind: false });
  }

  wait(ms: number): this {
    this.now += ms;
    return this.step({ type: 'tick' });
  }

  /** `peer` asks, the server's own presto stops. */
  give(peer: string): this {
    this.wait(LIMITS.permitHoldMs).step({ type: 'permit-request', peer });
    return this.step({ type: 'self-released', end: this.state.end });
  }

  has(type: ServerEffect['type']): boolean {
    return this.effects.some((effect) => effect.type === type);
  }
}

describe('a fileset at its server', () => {
  it('sends a new replicator what it has not', () => {
    const machine = new Machine(5).join('A', 3);
    assert.deepEqual(machine.effects, [
      { type: 'acknowledged', peer: 'A', expected: 3 },
      { type: 'send-batch', peer: 'A', from: 3 },
    ]);
  });

  it('has nothing to send to one that has everything, until the log grows', () => {
    const machine = new Machine(5).join('A', 6).join('B', 6);
    assert(!machine.has('send-batch'));
    machine.step({ type: 'log-grew', end: 6 });
    assert.deepEqual(machine.effects, [
      { type: 'send-batch', peer: 'A', from: 6 },
      { type: 'send-batch', peer: 'B', from: 6 },
    ]);
  });

  it('grants the permit with the end of its log, when its own presto has stopped', () => {
    const machine = new Machine(5).join('A', 6).wait(LIMITS.permitHoldMs);
    machine.step({ type: 'permit-request', peer: 'A' });
    assert(machine.has('revoke-self') && !machine.has('grant'));
    machine.step({ type: 'self-released', end: 8 });
    assert.deepEqual(machine.effects[0], { type: 'grant', peer: 'A', generation: 2, upto: 8 });
  });

  it('takes records only of the host that holds the permit, or gives it back', () => {
    const machine = new Machine().join('A').join('B');
    assert(!mayUpdate(machine.state, 'A'));
    machine.give('A');
    assert(mayUpdate(machine.state, 'A') && !mayUpdate(machine.state, 'B'));
    machine.step({ type: 'permit-request', peer: 'B' }).wait(LIMITS.permitHoldMs);
    assert.deepEqual(machine.effects[0], { type: 'revoke', peer: 'A', generation: 2 });
    assert(mayUpdate(machine.state, 'A'));
    machine.step({ type: 'permit-released', peer: 'A', end: 0 });
    assert(!mayUpdate(machine.state, 'A') && mayUpdate(machine.state, 'B'));
    assert(!mayUpdate(machine.step({ type: 'peer-down', peer: 'B' }).state, 'B'));
  });

  it('passes the permit on with all that its old holder made in the log', () => {
    const machine = new Machine().join('A').join('B').give('A');
    machine.step({ type: 'permit-request', peer: 'B' }).wait(LIMITS.permitHoldMs);
    machine.step({ type: 'permit-released', peer: 'A', end: 3 });
    machine.step({ type: 'applied', peer: 'A', expected: 3, end: 2 });
    assert(!machine.has('grant'));
    machine.step({ type: 'applied', peer: 'A', expected: 4, end: 3 });
    assert.deepEqual(machine.effects[0], { type: 'grant', peer: 'B', generation: 3, upto: 3 });
  });

  it('gives a holder that is behind time to catch up, and one that is not only the minimum', () => {
    const machine = new Machine(5).join('A', 1).join('B', 6).give('A');
    machine.step({ type: 'permit-request', peer: 'B' });
    assert(!machine.wait(LIMITS.permitHoldMs).has('revoke'));
    machine.step({ type: 'batch-sent', peer: 'A', next: 6 });
    machine.step({ type: 'batch-answered', peer: 'A', expected: 6 });
    assert(machine.has('revoke'));
  });

  it('revokes after the minimum also where the holder writes on and on', () => {
    const machine = new Machine().join('A').join('B').give('A');
    machine.step({ type: 'applied', peer: 'A', expected: 2, end: 1 });
    machine.step({ type: 'permit-request', peer: 'B' });
    assert(machine.wait(LIMITS.permitHoldMs).has('revoke'));
  });

  it('wakes for the end of the minimum and for that of the revocation', () => {
    const machine = new Machine().join('A').step({ type: 'permit-request', peer: 'A' });
    assert.deepEqual(machine.effects, [{ type: 'wake-at', time: LIMITS.permitHoldMs }]);
    machine.step({ type: 'self-released', end: 0 }).give('A').join('B');
    machine.step({ type: 'permit-request', peer: 'B' }).wait(LIMITS.permitHoldMs);
    assert.deepEqual(machine.effects.at(-1), {
      type: 'wake-at',
      time: machine.now + LIMITS.permitRevokeMs,
    });
    machine.wait(LIMITS.permitRevokeMs);
    const reason = 'it did not give the permit back in time';
    assert.deepEqual(machine.effects, [{ type: 'drop-peer', peer: 'A', reason }]);
    assert.deepEqual(machine.wait(1).effects, []);
  });

  it('lets a holder that gets what it needs for a merge take its time, but not one that is silent', () => {
    const machine = new Machine().join('A').give('A').join('B');
    machine.step({ type: 'permit-request', peer: 'B' }).wait(LIMITS.permitHoldMs);
    for (let i = 0; i < 5; i++) {
      assert(!machine.wait(LIMITS.permitRevokeMs - 1).has('drop-peer'));
      machine.step({ type: 'peer-busy', peer: 'A' });
    }
    machine.step({ type: 'peer-busy', peer: 'B' });
    assert(!machine.wait(LIMITS.permitRevokeMs - 1).has('drop-peer'));
    assert(machine.wait(1).has('drop-peer'));
  });

  it('takes the permit of a lost host back', () => {
    const machine = new Machine().join('A').give('A').step({ type: 'peer-down', peer: 'A' });
    assert.deepEqual(machine.effects, [{ type: 'grant-self', generation: 3 }]);
  });

  it('hears nothing of hosts that are not connected', () => {
    const machine = new Machine().join('A').give('A');
    const { permits } = machine.state;
    machine.step({ type: 'permit-request', peer: 'B' });
    machine.step({ type: 'batch-sent', peer: 'B', next: 3 });
    machine.step({ type: 'permit-released', peer: 'B', end: 3 });
    assert.deepEqual(machine.effects, []);
    assert.deepEqual({ ...machine.state.permits, used: permits.used }, permits);
    assert.deepEqual([...machine.state.peers.keys()], ['A']);
  });
});
