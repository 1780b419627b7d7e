import assert from 'node:assert/strict';
import { join } from 'node:path';
import { check } from '../../../src/core/check/check.js';
import type { NetworkFacts, PeerAnswer } from '../../../src/core/check/peers.js';
import { surveyFiles } from '../../../src/core/check/survey.js';
import { E } from '../../../src/core/system/errno.js';
import {
  decodeAbout,
  encodeAbout,
  PROTOCOL_VERSION,
  type About,
} from '../../../src/core/wire/messages.js';
import { fixtures } from '../config/support.js';
import { healthyHost } from './healthy.js';

const configDir = join(fixtures, 'checks/base');
const options = { configDir, fstab: '/nowhere' };
// The survey of a client is that of its server with another sysid file.
const server = surveyFiles({ ...options, idfile: 'sysid' });
const client = { ...server, self: { ...server.self!, name: 'clientA' } };
const CLOCK = Date.UTC(2026, 0, 1);

const ABOUT: About = {
  version: PROTOCOL_VERSION,
  program: '0.1.0',
  clock: CLOCK,
  isMounted: true,
  policy: 'write',
  conflicts: 'keep-both',
  replicators: ['clientA'],
};

const ANSWER: PeerAnswer = {
  fileset: 'shared',
  code: 0,
  reason: '',
  about: ABOUT,
  asked: CLOCK - 20,
  answered: CLOCK + 20,
};

function told(survey: typeof server, network: NetworkFacts): string[] {
  return check(survey, healthyHost(survey), network)
    .filter(({ id }) => id.startsWith('IZO7'))
    .map(
      ({ severity, id, place }) =>
        `${severity} ${id} ${place.file.split('/').at(-1)!}:${String(place.line)}`,
    );
}

const answered = (change: Partial<PeerAnswer>): string[] =>
  told(client, {
    peers: [{ server: 'muskox', trouble: undefined, answers: [{ ...ANSWER, ...change }] }],
    absent: [],
  });
const says = (change: Partial<About>): string[] => answered({ about: { ...ABOUT, ...change } });

describe('the check between hosts', () => {
  it('finds nothing where both agree', () => assert.deepEqual(answered({}), []));

  it('tells of clocks that differ by more than the answer took', () => {
    assert.deepEqual(says({ clock: CLOCK + 4_900 }), []);
    assert.deepEqual(says({ clock: CLOCK - 6_000 }), ['warning IZO7007 serverdb:2']);
    assert.deepEqual(
      answered({ asked: CLOCK - 20_000, about: { ...ABOUT, clock: CLOCK - 6_000 } }),
      [],
    );
  });

  it('tells of another version, also of one that does not know the question', () => {
    assert.deepEqual(says({ version: PROTOCOL_VERSION + 1 }), ['error IZO7005 serverdb:2']);
    const unknown = answered({ code: E.ENOSYS, about: undefined });
    assert.deepEqual(unknown, ['error IZO7005 serverdb:2']);
  });

  it('tells of each difference between the descriptions of a fileset', () => {
    assert.deepEqual(says({ policy: 'readonly' }), ['error IZO7006 fsetdb:2']);
    assert.deepEqual(says({ conflicts: 'server' }), ['error IZO7006 fsetdb:2']);
  });

  it('notes other replicators, of which only the server needs to know', () => {
    assert.deepEqual(says({ replicators: ['clientA', 'clientB'] }), ['note IZO7012 fsetdb:2']);
    const other = says({ replicators: ['clientB'] });
    assert.deepEqual(other, ['note IZO7012 fsetdb:2', 'note IZO7012 fsetdb:3']);
  });

  it('tells of a server that does not know this host, fails, or has not mounted the fileset', () => {
    const refused = answered({ code: E.EACCES, reason: 'no', about: undefined });
    assert.deepEqual(refused, ['error IZO7008 fsetdb:2']);
    const failed = answered({ code: E.EIO, reason: 'disk', about: undefined });
    assert.deepEqual(failed, ['error IZO7008 fsetdb:2']);
    assert.deepEqual(says({ isMounted: false }), ['warning IZO7011 fsetdb:2']);
  });

  for (const [code, id] of [
    ['unreachable', 'IZO7001'],
    ['wrong-key', 'IZO7002'],
    ['network-mismatch', 'IZO7003'],
    ['not-izo', 'IZO7004'],
  ] as const) {
    it(`tells that a server is ${code}`, () => {
      const trouble = { code, message: 'm', remedy: 'r' };
      const peers = [{ server: 'muskox', trouble, answers: [] }];
      assert.deepEqual(told(client, { peers, absent: [] }), [`error ${id} serverdb:2`]);
    });
  }

  it('tells on a server which replicators are not connected', () => {
    const absent = [{ fileset: 'shared', absent: [{ name: 'clientA', error: undefined }] }];
    assert.deepEqual(told(server, { peers: [], absent }), ['warning IZO7009 fsetdb:3']);
    assert.deepEqual(told(server, { peers: [], absent: undefined }), [
      'note IZO7010 sysid:undefined',
    ]);
    assert.deepEqual(told(client, { peers: [], absent: undefined }), []);
  });
});

describe('ABOUT', () => {
  it('comes back as it was', () => assert.deepEqual(decodeAbout(encodeAbout(ABOUT)), ABOUT));

  it('of another version tells that version, whatever follows', () => {
    const payload = Buffer.concat([
      Buffer.from([PROTOCOL_VERSION + 1, 0]),
      Buffer.from('anything'),
    ]);
    assert.equal(decodeAbout(payload).version, PROTOCOL_VERSION + 1);
  });

  it('that is cut short or too long is refused', () => {
    const payload = encodeAbout(ABOUT);
    for (let length = 2; length < payload.length; length++) {
      assert.throws(() => decodeAbout(payload.subarray(0, length)), /ProtocolError|bytes|payload/);
    }
    assert.throws(() => decodeAbout(Buffer.concat([payload, Buffer.alloc(1)])));
  });
});
