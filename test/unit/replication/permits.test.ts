import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LIMITS } from '../../../src/core/model/limits.js';
import {
  caughtUp,
  drained,
  lost,
  nextDeadline,
  permitsOf,
  progress,
  released,
  requested,
  type PermitEffect,
  type PermitStep,
  type PermitTable,
} from '../../../src/core/replication/permits.js';

const HOSTS = ['S', 'A', 'B', 'C'];
const NOBODY_EXPECTED = (): number => 1;

/** A table, its clock, and hosts that behave: each stops when it is told to, and what it made arrives. */
class Keeper {
  table: PermitTable = permitsOf('S', 0);
  now = 0;
  readonly granted: string[] = [];
  readonly generations: number[] = [];
  readonly revoked: string[] = [];
  readonly lost: string[] = [];

  take([table, effects]: PermitStep): this {
    this.table = table;
    for (const effect of effects) this.#note(effect);
    return this;
  }

  #note(effect: PermitEffect): void {
    if (effect.type === 'declare-lost') this.lost.push(effect.host);
    else if (effect.type === 'revoke') this.revoked.push(effect.from);
    else {
      this.granted.push(effect.to);
      this.generations.push(effect.generation);
    }
  }

  ask(host: string): this {
    return this.take(requested(this.table, host, this.now));
  }

  wait(ms: number): this {
    this.now += ms;
    return this.take(progress(this.table, this.now));
  }

  release(host: string, end = 0, expected: () => number = NOBODY_EXPECTED): this {
    this.table = released(this.table, host, end);
    return this.take(drained(this.table, 'S', expected, this.now));
  }

  lose(host: string): this {
    return this.take(lost(this.table, host, 'S', this.now));
  }

  catchUp(): this {
    this.table = caughtUp(this.table);
    return this;
  }
}

/** `to` has the permit, and has used it for a while. */
function heldBy(to: string): Keeper {
  return new Keeper().ask(to).wait(LIMITS.permitHoldMs).release('S').catchUp().wait(1000);
}

describe('the permit of a fileset', () => {
  it('is with the server at first', () => {
    const keeper = new Keeper().ask('S');
    assert.deepEqual(keeper.granted, ['S']);
    assert.deepEqual(keeper.generations, [1]);
    assert.equal(nextDeadline(keeper.table), undefined);
  });

  it('is taken from its holder after the minimum, and passed on when that has stopped', () => {
    const keeper = new Keeper().ask('A').wait(LIMITS.permitHoldMs - 1);
    assert.deepEqual(keeper.revoked, []);
    assert.equal(nextDeadline(keeper.table), LIMITS.permitHoldMs);
    keeper.wait(1);
    assert.deepEqual([keeper.revoked, keeper.granted], [['S'], []]);
    keeper.release('S', 7);
    assert.deepEqual([keeper.granted, keeper.generations], [['A'], [2]]);
  });

  it('is passed on when all that the old holder made is there', () => {
    const keeper = heldBy('A').ask('B');
    let expected = 4;
    keeper.release('A', 5, () => expected);
    assert.equal(keeper.table.holder, 'A');
    expected = 5;
    keeper.take(drained(keeper.table, 'S', () => expected, keeper.now));
    assert.equal(keeper.table.holder, 'A');
    expected = 6;
    keeper.take(drained(keeper.table, 'S', () => expected, keeper.now));
    assert.equal(keeper.table.holder, 'B');
  });

  it('is told to its holder again, in the same generation', () => {
    const keeper = heldBy('A').ask('A');
    assert.deepEqual(keeper.generations, [2, 2]);
    assert.deepEqual(keeper.revoked, ['S']);
  });

  it('comes back to a holder that asks again while it gives it back', () => {
    const keeper = heldBy('A').ask('B').ask('A').release('A').catchUp().wait(LIMITS.permitHoldMs);
    assert.deepEqual(keeper.granted, ['A', 'B']);
    assert.deepEqual(keeper.release('B').granted, ['A', 'B', 'A']);
  });

  it('stays longer with a holder that has yet to apply what others did', () => {
    const keeper = new Keeper().ask('A').wait(LIMITS.permitHoldMs).release('S').ask('B');
    keeper.wait(LIMITS.permitHoldMs);
    assert.deepEqual(keeper.revoked, ['S']);
    assert.equal(nextDeadline(keeper.table), LIMITS.permitHoldMs + LIMITS.permitCatchUpMs);
    assert.deepEqual(keeper.catchUp().wait(0).revoked, ['S', 'A']);
    const slow = new Keeper().ask('A').wait(LIMITS.permitHoldMs).release('S').ask('B');
    assert.deepEqual(slow.wait(LIMITS.permitCatchUpMs).revoked, ['S', 'A']);
  });

  it('declares a holder lost once, when it does not answer in time', () => {
    const keeper = heldBy('A').ask('B');
    assert.equal(nextDeadline(keeper.table), keeper.now + LIMITS.permitRevokeMs);
    assert.deepEqual(keeper.wait(LIMITS.permitRevokeMs - 1).lost, []);
    assert.deepEqual(keeper.wait(1).lost, ['A']);
    assert.equal(nextDeadline(keeper.table), undefined);
    assert.deepEqual(keeper.wait(1).lost, ['A']);
    assert.deepEqual(keeper.lose('A').granted.at(-1), 'B');
  });

  it('waits without a deadline for what a holder that has answered made', () => {
    const keeper = heldBy('A').ask('B').release('A', 9);
    assert.equal(nextDeadline(keeper.table), undefined);
    assert.deepEqual(keeper.wait(LIMITS.permitRevokeMs * 2).lost, []);
  });

  it('goes to the server when its holder is lost and nobody waits', () => {
    assert.deepEqual(heldBy('A').lose('A').granted, ['A', 'S']);
  });

  it('forgets a lost host that waits', () => {
    const keeper = heldBy('A').ask('B').ask('C').lose('B').release('A');
    assert.equal(keeper.table.holder, 'C');
    assert.deepEqual(keeper.table.waiting, []);
  });

  it('is not touched by a late release, nor by the loss of somebody else', () => {
    const keeper = heldBy('A').ask('B').release('A');
    const { table } = keeper;
    assert.equal(released(table, 'A', 3), table);
    assert.equal(keeper.lose('A').table.holder, 'B');
    assert.equal(keeper.ask('C').wait(LIMITS.permitCatchUpMs).release('A').table.holder, 'B');
  });

  const host = fc.constantFrom(...HOSTS);
  const action = fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), host }),
    fc.record({ kind: fc.constantFrom('release' as const, 'lose' as const), host }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 15_000 }) }),
    fc.record({ kind: fc.constant('catch-up' as const) }),
  );
  const actions = fc.array(action, { maxLength: 80 });

  function play(
    keeper: Keeper,
    act: typeof action extends fc.Arbitrary<infer T> ? T : never,
  ): void {
    if (act.kind === 'ask') keeper.ask(act.host);
    else if (act.kind === 'release') keeper.release(act.host);
    else if (act.kind === 'wait') keeper.wait(act.ms);
    else if (act.kind === 'catch-up') keeper.catchUp();
    else if (act.host !== 'S') keeper.lose(act.host);
  }

  it('has generations that grow, each granted to one host, which is the holder', () => {
    fc.assert(
      fc.property(actions, (all) => {
        const keeper = new Keeper();
        const owner = new Map<number, string>();
        for (const act of all) {
          const before = keeper.table;
          const count = keeper.granted.length;
          play(keeper, act);
          assert(keeper.table.generation >= before.generation);
          const passed = keeper.table.holder !== before.holder;
          if (passed) assert(keeper.table.generation > before.generation);
          for (let i = count; i < keeper.granted.length; i++) {
            const generation = keeper.generations[i]!;
            assert.equal(owner.get(generation) ?? keeper.granted[i], keeper.granted[i]);
            owner.set(generation, keeper.granted[i]!);
            assert.equal(keeper.table.holder, keeper.granted[i]);
          }
        }
      }),
    );
  });

  it('is named anew only when the old holder has stopped or is lost', () => {
    fc.assert(
      fc.property(actions, (all) => {
        const keeper = new Keeper();
        for (const act of all) {
          const { holder, generation } = keeper.table;
          play(keeper, act);
          if (keeper.table.generation === generation) continue;
          assert(act.kind === 'release' || act.kind === 'lose');
          assert.equal(act.host, holder);
        }
      }),
    );
  });

  it('comes to whoever waits, whatever happened before, and while all others keep asking', () => {
    fc.assert(
      fc.property(actions, host, (all, patient) => {
        const keeper = new Keeper();
        for (const act of all) play(keeper, act);
        keeper.ask(patient);
        for (let turns = 0; keeper.table.holder !== patient && turns <= HOSTS.length + 1; turns++) {
          const time = nextDeadline(keeper.table);
          if (keeper.table.handover === undefined) keeper.wait(Math.max(0, time! - keeper.now));
          for (const other of HOSTS) keeper.ask(other);
          keeper.release(keeper.table.holder);
        }
        assert.equal(keeper.table.holder, patient);
      }),
    );
  });

  it('asks to be woken exactly when time alone will change something', () => {
    fc.assert(
      fc.property(actions, (all) => {
        const keeper = new Keeper();
        for (const act of all) {
          play(keeper, act);
          keeper.wait(0);
          const time = nextDeadline(keeper.table);
          const quietUntil = time ?? keeper.now + 1e9;
          assert(quietUntil > keeper.now, 'it would be woken again and again');
          assert.deepEqual(progress(keeper.table, quietUntil - 1)[1], []);
          if (time !== undefined) assert.equal(progress(keeper.table, time)[1].length, 1);
        }
      }),
    );
  });
});
