import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Writer } from '../../../src/core/wire/codec.js';
import { Kind } from '../../../src/core/wire/kinds.js';
import * as messages from '../../../src/core/wire/messages.js';
import { PacketType } from '../../../src/core/wire/packet.js';

const PAGE = readFileSync(new URL('../../../docs/man/protocol.md', import.meta.url), 'utf8');

const FIELDS = ['u8', 'u16', 'u32', 'u48', 'u64', 'i32', 'i64', 'bool', 'time'] as const;
const TEXTS = ['bytes', 'latin1'] as const;

/** The types of the fields that an encoder writes, as the page has them: `u64, list of (text, u8)`. */
function written(encode: () => unknown): string {
  const frames: string[][] = [[]];
  let depth = 0;
  const proto = Writer.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const before = new Map<string, (...args: unknown[]) => unknown>();
  const spy = (name: string, type: string): void => {
    const original = proto[name];
    assert.ok(original !== undefined);
    before.set(name, original);
    proto[name] = function (this: unknown, ...args: unknown[]) {
      if (depth === 0) frames.at(-1)?.push(type);
      depth += 1;
      const result = original.apply(this, args);
      depth -= 1;
      return result;
    };
  };
  for (const name of FIELDS) spy(name, name);
  for (const name of TEXTS) spy(name, 'text');
  const list = proto['list'];
  assert.ok(list !== undefined);
  proto['list'] = function (this: unknown, items: unknown, limit: unknown, write: unknown) {
    frames.push([]);
    // The number of items is part of what a list is.
    depth += 1;
    const each = write as (item: unknown, writer: unknown) => void;
    const result = list.call(this, items, limit, (item: unknown, writer: unknown) => {
      depth -= 1;
      each(item, writer);
      depth += 1;
    });
    depth -= 1;
    const inner = frames.pop() ?? [];
    frames.at(-1)?.push(`list of (${inner.join(', ')})`);
    return result;
  };
  try {
    encode();
  } finally {
    for (const [name, original] of before) proto[name] = original;
    proto['list'] = list;
  }
  return (frames[0] ?? []).join(', ');
}

/** Only the types: `u64 acked, list of (text record)` -> `u64, list of (text)`. */
function types(fields: string): string {
  return fields.replaceAll(/\b(u\d+|i\d+|bool|time|text) [\w ]+/g, '$1');
}

const address = { fileset: 'shared', session: 1 };
const stamp = { replica: 1, recno: 1 };
const object = { replica: 1, number: 1 };
const mtime = { sec: 1, nsec: 1 };
const none = Buffer.alloc(0);
const described = { mode: 0o100644, uid: 0, gid: 0, rdev: 0, mtime, size: 0, target: '', object };
const stamps = { content: stamp, attributes: stamp };

/** Each message, written once; lists have one item. */
const MESSAGES: Record<string, readonly [encoder: keyof typeof messages, () => unknown]> = {
  'HELLO, and its reply': [
    'encodeHello',
    () =>
      messages.encodeHello({
        ...address,
        version: 1,
        replica: 1,
        end: 1,
        current: 1,
        claim: messages.NO_CLAIM,
      }),
  ],
  'HELLO from an older session, reply': ['encodeNumber', () => messages.encodeNumber(1)],
  RECORDS: [
    'encodeBatch',
    () =>
      messages.encodeBatch({
        ...address,
        acked: 1,
        from: 1,
        next: 1,
        checksum: 1,
        stretch: { from: 0, to: 0 },
        items: [{ record: none, content: 0, data: none }],
      }),
  ],
  'RECORDS, reply': [
    'encodeBatchReply',
    () => messages.encodeBatchReply({ expected: 1, message: '' }),
  ],
  FETCH: [
    'encodeFetch',
    () =>
      messages.encodeFetch({
        ...address,
        recno: 1,
        from: 0,
        packed: false,
        ranges: [{ offset: 0, length: 1 }],
      }),
  ],
  'FETCH, trailer': [
    'encodeFetchTrailer',
    () => messages.encodeFetchTrailer({ size: 1, checksum: 1 }),
  ],
  PERMIT: ['encodeAddress', () => messages.encodeAddress(address)],
  'PERMIT, reply': ['encodeGrant', () => messages.encodeGrant({ generation: 1, upto: 1 })],
  REVOKE: ['encodeRevocation', () => messages.encodeRevocation({ ...address, generation: 1 })],
  'REVOKE, reply': ['encodeNumber', () => messages.encodeNumber(1)],
  BARRIER: ['encodeAddress', () => messages.encodeAddress(address)],
  POSITION: [
    'encodePosition',
    () =>
      messages.encodePosition({
        ...address,
        claim: messages.NO_CLAIM,
        intact: 0,
        resumes: 1,
      }),
  ],
  'POSITION, reply': [
    'encodePositionReply',
    () => messages.encodePositionReply({ resumes: 1, behind: false }),
  ],
  LEAVE: ['encodeLeave', () => messages.encodeLeave({ ...address, reason: '' })],
  OBJECT: ['encodeObjectRequest', () => messages.encodeObjectRequest({ ...address, path: 'a' })],
  'OBJECT, the object': [
    'encodeObject',
    () =>
      messages.encodeObject({
        ...described,
        ...stamps,
        checksum: 1,
        xattrs: [{ name: 'user.a', value: none }],
      }),
  ],
  ABOUT: ['encodeAddress', () => messages.encodeAddress(address)],
  'ABOUT, reply': [
    'encodeAbout',
    () =>
      messages.encodeAbout({
        version: 1,
        program: '1',
        clock: 1,
        isMounted: true,
        policy: 'write',
        conflicts: 'keep-both',
        replicators: ['clientA'],
      }),
  ],
  WALK: ['encodeWalkRequest', () => messages.encodeWalkRequest({ ...address, since: 1 })],
  'WALK, trailer': [
    'encodeWalkTrailer',
    () =>
      messages.encodeWalkTrailer({
        ...{ recno: 1, checksum: 1, still: true },
        touched: { deep: ['a'], objects: [{ replica: 1, number: 1 }] },
      }),
  ],
  CONTENTS: [
    'encodeContentsRequest',
    () => messages.encodeContentsRequest({ ...address, paths: ['a'] }),
  ],
  'WALK and CONTENTS, an item': [
    'encodeTreeItem',
    () => messages.encodeTreeItem('a', none, undefined),
  ],
  DIGEST: [
    'encodeDigestRequest',
    () =>
      messages.encodeDigestRequest({
        ...address,
        host: 'muskox',
        path: '',
        after: undefined,
        single: false,
        fast: false,
      }),
  ],
  'DIGEST, reply': [
    'encodeDigestPage',
    () =>
      messages.encodeDigestPage({
        end: 1,
        last: true,
        entries: [
          {
            ...described,
            ...stamps,
            path: 'a',
            links: 1,
            digest: none,
            xattrs: [{ name: 'user.a', bytes: 1, digest: none }],
          },
        ],
      }),
  ],
};

describe('intermezzo-protocol(7)', () => {
  const table = /<!-- messages -->\n([^]*?)<!-- end -->/.exec(PAGE)?.[1] ?? '';
  const rows = new Map(
    table
      .split('\n')
      .slice(2)
      .filter((row) => row !== '')
      .map((row) => {
        const [, name = '', fields = ''] = row.split('|').map((cell) => cell.trim());
        return [name, fields] as const;
      }),
  );

  it('has the messages, and each field of them, that are written', () => {
    assert.deepEqual([...rows.keys()], Object.keys(MESSAGES));
    for (const [name, [, encode]] of Object.entries(MESSAGES)) {
      assert.equal(types(rows.get(name) ?? ''), written(encode), name);
    }
  });

  it('leaves out none of the encoders', () => {
    // A reason is all of a payload, and no field of one.
    const known = new Set(['encodeReason', ...Object.values(MESSAGES).map(([name]) => name)]);
    const all = Object.keys(messages).filter((name) => name.startsWith('encode'));
    assert.deepEqual(
      all.filter((name) => !known.has(name)),
      [],
    );
  });

  it('has all kinds of requests, all types of packets, and the version', () => {
    for (const [name, kind] of Object.entries(Kind)) {
      assert.match(PAGE, new RegExp(`^\\| ${kind} \\| ${name} \\|`, 'm'));
    }
    const types = PAGE.slice(PAGE.indexOf('| type | name |'), PAGE.indexOf('## REQUESTS'));
    for (const [name, type] of Object.entries(PacketType)) {
      assert.match(types, new RegExp(`^\\|[^|]*\\b${type}\\b[^|]*\\|[^|]*\\b${name}\\b`, 'm'));
    }
    assert.ok(PAGE.includes(`This is version ${messages.PROTOCOL_VERSION} of the protocol`));
  });
});
