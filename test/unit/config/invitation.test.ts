import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  CONFLICT_POLICIES,
  decodeInvitation,
  DISCONNECTED_POLICIES,
  encodeInvitation,
  type Invitation,
} from '../../../src/core/config/index.js';
import { errorOf } from './support.js';

const invitation: Invitation = {
  server: { name: 'muskox', ipaddr: '192.168.0.3', port: 2222 },
  client: 'clientA',
  key: Buffer.alloc(32, 0xa5),
  filesets: [
    { name: 'shared', policy: 'write', conflicts: 'keep-both', replicators: ['clientA', 'b'] },
  ],
};

/** A token with a valid envelope around any text. */
function sealed(payload: string, version = '1'): string {
  const body = `izo${version}.${Buffer.from(payload).toString('base64url')}`;
  return `${body}.${crc32(body).toString(16).padStart(8, '0')}`;
}

/** What the token of an invitation holds, changed. */
function changed(change: (payload: Record<string, unknown>) => void): string {
  const payload: unknown = JSON.parse(
    Buffer.from(encodeInvitation(invitation).split('.')[1] ?? '', 'base64url').toString(),
  );
  change(payload as Record<string, unknown>);
  return sealed(JSON.stringify(payload));
}

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const address = fc.oneof(
  fc.ipV4().filter((each) => each !== '0.0.0.0'),
  fc.ipV6().filter((each) => each !== '::'),
);

const anyInvitation: fc.Arbitrary<Invitation> = fc
  .record({
    hosts: fc.uniqueArray(name, { minLength: 2, maxLength: 6 }),
    ipaddr: address,
    port: fc.integer({ min: 1, max: 65535 }),
    bindaddr: fc.option(address, { nil: undefined }),
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    filesets: fc.uniqueArray(
      fc.record({
        name,
        policy: fc.constantFrom(...DISCONNECTED_POLICIES),
        conflicts: fc.constantFrom(...CONFLICT_POLICIES),
      }),
      { minLength: 1, maxLength: 5, selector: (each) => each.name },
    ),
  })
  .map(({ hosts: [server = '', ...clients], ipaddr, port, bindaddr, key, filesets }) => ({
    server: { name: server, ipaddr, port, ...(bindaddr === undefined ? {} : { bindaddr }) },
    client: clients[0] ?? '',
    key: Buffer.from(key),
    filesets: filesets.map((each) => ({ ...each, replicators: clients })),
  }));

describe('invitations', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(anyInvitation, (each) => {
        assert.deepEqual(decodeInvitation(encodeInvitation(each)), each);
      }),
    );
  });

  it('survive being wrapped by a terminal or a mail program', () => {
    const token = encodeInvitation(invitation);
    const wrapped = `\n  ${(token.match(/.{1,40}/g) ?? []).join('\r\n  ')} \n`;
    assert.deepEqual(decodeInvitation(wrapped), invitation);
  });

  it('any change of one character is noticed', () => {
    const token = encodeInvitation(invitation);
    const at = fc.integer({ min: 0, max: token.length - 1 });
    fc.assert(
      fc.property(at, fc.string({ minLength: 1, maxLength: 1 }), (index, character) => {
        const damaged = token.slice(0, index) + character + token.slice(index + 1);
        fc.pre(damaged !== token);
        errorOf(() => decodeInvitation(damaged));
      }),
    );
  });

  it('a cut token says so', () => {
    const token = encodeInvitation(invitation);
    for (const cut of [token.slice(0, -1), token.slice(0, 50), token.slice(0, 6)]) {
      const { code, message } = errorOf(() => decodeInvitation(cut));
      assert.equal(code, 'token-damaged');
      assert.match(message, /was it copied whole\?/);
    }
  });

  it('random text is never taken and never crashes', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((each) => `izo1.${each}`),
      fc.json().map((each) => sealed(each)),
      fc.string().map((each) => sealed(each)),
    );
    fc.assert(
      fc.property(text, (each) => {
        errorOf(() => decodeInvitation(each));
      }),
    );
  });

  const refused: [what: string, token: string, code: string][] = [
    ['something else', 'hello', 'token-malformed'],
    ['nothing', '', 'token-malformed'],
    ['a newer format', sealed('{}', '2'), 'token-version'],
    ['no JSON', sealed('{'), 'token-invalid'],
    ['deep JSON', sealed('['.repeat(20_000)), 'token-invalid'],
    ['a list', sealed('[]'), 'token-invalid'],
    ['too long', 'izo1.' + 'A'.repeat(200_000), 'token-too-long'],
    ['a bad client', changed((each) => (each['client'] = '../x')), 'token-invalid'],
    ['no client', changed((each) => delete each['client']), 'token-invalid'],
    ['itself', changed((each) => (each['client'] = 'muskox')), 'token-invalid'],
    ['a stranger', changed((each) => (each['client'] = 'clientC')), 'token-invalid'],
    ['a short key', changed((each) => (each['key'] = 'AAAA')), 'token-invalid'],
    [
      'a bad port',
      changed((each) => ((each['server'] as { port: number }).port = 0)),
      'token-invalid',
    ],
    [
      'a port as text',
      changed((each) => ((each['server'] as { port: unknown }).port = '2222')),
      'token-invalid',
    ],
    [
      'a fraction of a port',
      changed((each) => ((each['server'] as { port: number }).port = 22.5)),
      'token-invalid',
    ],
    ['no server', changed((each) => (each['server'] = null)), 'token-invalid'],
    ['no filesets', changed((each) => (each['filesets'] = [])), 'token-invalid'],
    [
      'filesets twice',
      changed((each) => (each['filesets'] as unknown[]).push((each['filesets'] as unknown[])[0])),
      'token-invalid',
    ],
    ['a bad fileset', changed((each) => (each['filesets'] = [{ name: 'x' }])), 'token-invalid'],
  ];
  for (const [what, token, code] of refused) {
    it(`refuses ${what}, and does not show the key`, () => {
      const error = errorOf(() => decodeInvitation(token));
      assert.equal(error.code, code);
      const shown = inspect(error) + (error.remedy ?? '');
      assert.ok(!shown.includes(invitation.key.toString('base64').slice(0, 16)));
      assert.ok(token === '' || what === 'something else' || !shown.includes(token.slice(0, 60)));
    });
  }
});
