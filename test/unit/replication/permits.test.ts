import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LIMITS } from '../../../src/core/model/limits.js';
import {
  drained,
  lost,
  nextDeadline,
  permitsOf,
  progress,
  released,
  requested,
  type PermitEffect,
  type PermitTable,
} from '../../../src/core/replication/permits.js';

const SERVER = 'muskox';
const HOSTS = [SERVER, 'a', 'b', 'c'];
const LATER = 1_000_000;

const nothing = (): number => 0;
const everything = (): number => Infinity;

/** A table whose permit `host` holds since time 0. */
function heldBy(host: string): PermitTable {
  return { ...permitsOf(SERVER, 0), holder: host };
}

describe('permits', () => {
  it('grants again to the holder who asks again', () => {
    const [table, effects] = requested(heldBy('a'), 'a', LATER);
    assert.deepEqual(effects, [{ type: 'grant', to: 'a', generation: table.generation }]);
  });

  it('leaves the holder its minimum time, then takes the permit back', () => {
    const [early, none] = requested(heldBy('a'), 'b', 1);
    assert.deepEqual(none, []);
    assert.equal(nextDeadline(early), LIMITS.permitHoldMs);
    const [, effects] = progress(early, LIMITS.permitHoldMs);
    assert.deepEqual(effects, [{ type: 'revoke', from: 'a', generation: 1 }]);
  });

  it('passes the permit on only when all that the old holder made is applied', () => {
    const [asked] = requested(heldBy('a'), 'b', LATER);
    const stopped = released(asked, 'a', 7);
    assert.deepEqual(drained(stopped, SERVER, () => 7, LATER)[1], []);
    const [passed, effects] = drained(stopped, SERVER, () => 8, LATER);
    assert.deepEqual(effects, [{ type: 'grant', to: 'b', generation: 2 }]);
    assert.equal(passed.holder, 'b');
  });

  it('declares a holder lost that does not answer in time, and takes the permit back', () => {
    const [asked] = requested(heldBy('a'), 'b', LATER);
    const late = LATER + LIMITS.permitRevokeMs;
    assert.deepEqual(progress(asked, late)[1], [{ type: 'declare-lost', host: 'a' }]);
    const [table, effects] = lost(asked, 'a', SERVER, late);
    assert.deepEqual(effects, [{ type: 'grant', to: 'b', generation: 2 }]);
    assert.deepEqual(table.waiting, []);
  });

  it('goes back to the server when a lost holder leaves nobody waiting', () => {
    const [table] = lost(heldBy('a'), 'a', SERVER, LATER);
    assert.equal(table.holder, SERVER);
  });

  it('ignores a release by a host that is not giving the permit back', () => {
    const [asked] = requested(heldBy('a'), 'b', LATER);
    assert.deepEqual(released(asked, 'c', 3), asked);
  });
});

type Step =
  | { readonly type: 'request' | 'release' | 'lose'; readonly host: string }
  | { readonly type: 'wait'; readonly ms: number };

const host = fc.constantFrom(...HOSTS);
const clientHost = fc.constantFrom('a', 'b', 'c');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('request' as const), host }),
  fc.record({ type: fc.constant('release' as const), host }),
  fc.record({ type: fc.constant('lose' as const), host: clientHost }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40 }) }),
);

/** Runs steps and keeps account of who believes to have the permit. */
class Account {
  table = permitsOf(SERVER, 0);
  now = 0;
  readonly admitted = new Set([SERVER]);
  readonly generations: number[] = [1];

  take([table, effects]: readonly [PermitTable, readonly PermitEffect[]]): void {
    this.table = table;
    for (const effect of effects) {
      if (effect.type !== 'grant') continue;
      this.admitted.add(effect.to);
      this.generations.push(effect.generation);
    }
  }

  run(next: Step): void {
    if (next.type === 'wait') this.now += next.ms;
    else if (next.type === 'request') this.take(requested(this.table, next.host, this.now));
    else if (next.type === 'lose') {
      this.admitted.delete(next.host);
      this.take(lost(this.table, next.host, SERVER, this.now));
    } else if (this.table.handover?.from === next.host) {
      this.admitted.delete(next.host);
      this.table = released(this.table, next.host, 1);
    }
    this.take(drained(this.table, SERVER, everything, this.now));
    this.take(progress(this.table, this.now));
  }
}

describe('permits, whatever happens', () => {
  it('have one holder at a time, and generations that never go back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const account = new Account();
        for (const next of steps) {
          account.run(next);
          assert.ok(account.admitted.size <= 1, `${[...account.admitted].join(' and ')} hold it`);
        }
        const { generations } = account;
        assert.deepEqual(
          [...generations].sort((a, b) => a - b),
          generations,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('reach everybody who waits, if holders give them back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), host, (steps, waiting) => {
        const account = new Account();
        for (const next of steps) account.run(next);
        account.run({ type: 'request', host: waiting });
        for (let i = 0; i < 20 && account.table.holder !== waiting; i++) {
          account.run({ type: 'wait', ms: LIMITS.permitHoldMs });
          const from = account.table.handover?.from;
          if (from !== undefined) account.run({ type: 'release', host: from });
        }
        assert.equal(account.table.holder, waiting);
      }),
      { numRuns: 1_000 },
    );
  });

  it('do not move while the old holder has records on their way', () => {
    const [asked] = requested(heldBy('a'), 'b', LATER);
    const [table] = drained(released(asked, 'a', 5), SERVER, nothing, LATER);
    assert.equal(table.holder, 'a');
  });
});
