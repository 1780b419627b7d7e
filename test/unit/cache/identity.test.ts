import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  IDENTITY_BYTES_MAX,
  decodeIdentity,
  encodeIdentity,
  isStorable,
  newIdentity,
  unidentified,
  type Identity,
} from '../../../src/core/cache/identity.js';
import { NO_STAMP, REPLICA_ID_MAX } from '../../../src/core/model/ids.js';

const number48 = fc.oneof(
  fc.constantFrom(0, 1, REPLICA_ID_MAX - 1, REPLICA_ID_MAX),
  fc.maxSafeNat().map((n) => n % (REPLICA_ID_MAX + 1)),
);
/** fast-check would make some without a prototype, which decoded ones never are. */
const plain = { noNullPrototype: true };
const stamp = fc.record({ replica: number48, recno: number48 }, plain);
const identities: fc.Arbitrary<Identity> = fc.record(
  {
    object: fc.record({ replica: number48, number: number48 }, plain),
    content: stamp,
    attributes: stamp,
    flags: fc.oneof(fc.constant(0), fc.nat()),
  },
  plain,
);

/** Without flags; caches of before there were any have all of theirs so. */
const IDENTITY_BYTES = 37;

describe('identity attribute', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(identities, (identity) => {
        // Memory is reused: what was in it before must not show.
        const memory = Buffer.alloc(64, 0xff);
        const value = encodeIdentity(memory, identity);
        assert.equal(value.length, identity.flags === 0 ? IDENTITY_BYTES : IDENTITY_BYTES_MAX);
        assert.deepEqual(decodeIdentity(memory, value.length), identity);
        assert.ok(memory.subarray(value.length).every((byte) => byte === 0xff));
      }),
    );
  });

  it('gives different values to different identities', () => {
    fc.assert(
      fc.property(identities, identities, (one, other) => {
        const [a, b] = [one, other].map((id) => encodeIdentity(Buffer.alloc(64), id));
        const same = JSON.stringify(one) === JSON.stringify(other);
        assert.equal(a!.equals(b!), same);
      }),
    );
  });

  it('of another version or length is none', () => {
    const memory = Buffer.alloc(64);
    encodeIdentity(memory, unidentified({ replica: 1, number: 2 }));
    assert.equal(decodeIdentity(memory, IDENTITY_BYTES - 1), undefined);
    assert.equal(decodeIdentity(memory, IDENTITY_BYTES + 1), undefined);
    assert.equal(decodeIdentity(memory, 0), undefined);
    memory[0] = 2;
    assert.equal(decodeIdentity(memory, IDENTITY_BYTES), undefined);
  });

  it('has the layout that caches of earlier releases have', () => {
    const identity: Identity = {
      object: { replica: 0x010203040506, number: 7 },
      content: { replica: 0x0a0b0c0d0e0f, recno: 8 },
      attributes: { replica: REPLICA_ID_MAX, recno: 9 },
      flags: 0,
    };
    assert.equal(
      encodeIdentity(Buffer.alloc(IDENTITY_BYTES), identity).toString('hex'),
      '01' + '060504030201070000000000' + '0f0e0d0c0b0a080000000000' + 'ffffffffffff090000000000',
    );
  });

  it('of a new object has one version for contents and attributes', () => {
    const object = { replica: 3, number: 4 };
    const made = { replica: 3, recno: 5 };
    assert.deepEqual(newIdentity(object, made, 0x50), {
      object,
      content: made,
      attributes: made,
      flags: 0x50,
    });
    assert.deepEqual(unidentified(object), {
      object,
      content: NO_STAMP,
      attributes: NO_STAMP,
      flags: 0,
    });
  });

  it('refuses numbers that do not fit', () => {
    const of = (number: number): Identity => newIdentity({ replica: 1, number }, NO_STAMP, 0);
    assert.ok(isStorable(of(REPLICA_ID_MAX)));
    assert.ok(!isStorable(of(REPLICA_ID_MAX + 1)));
    assert.ok(!isStorable(of(-1)));
  });
});
