import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { IzoError } from '../../../src/core/model/errors.js';
import { EXIT } from '../../../src/core/model/exit-codes.js';
import { HandshakeGate } from '../../../src/core/wire/handshake-gate.js';
import { parseIdentity } from '../../../src/core/wire/identity.js';
import { listen } from '../../../src/core/wire/listen.js';
import {
  closeAll,
  dialTo,
  IDENTITY,
  KEY,
  MemoryLog,
  onClose,
  startServer,
  until,
} from './hosts.js';

async function failure(promise: Promise<unknown>): Promise<IzoError> {
  const error: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  assert(error instanceof IzoError, String(error));
  return error;
}

/** A server that is not izo. */
async function startStranger(onConnection: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    onClose(() => socket.destroy());
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onClose(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

async function openSilently(port: number, count: number, localAddress: string): Promise<void> {
  const sockets = Array.from({ length: count }, () =>
    net.connect({ port, host: '127.0.0.1', localAddress }),
  );
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    onClose(() => socket.destroy());
  }
  await Promise.all(sockets.map((s) => new Promise((resolve) => s.once('connect', resolve))));
}

describe('wire transport', () => {
  afterEach(closeAll);

  it('is TLS 1.3 with an ephemeral key exchange, and both ends know who is there', async () => {
    const { listener, accepted } = await startServer();
    const link = await dialTo(listener.port, { localAddress: '127.0.0.2' });
    const other = await accepted();
    assert(link.socket instanceof tls.TLSSocket);
    assert.equal(link.socket.getProtocol(), 'TLSv1.3');
    const ephemeral = link.socket.getEphemeralKeyInfo();
    assert(ephemeral !== null && 'name' in ephemeral && ephemeral.name === 'X25519');
    assert.deepEqual(other.identity, IDENTITY);
    assert(link.authenticated && other.authenticated);
    assert.match(other.from, /^127\.0\.0\.2:\d+$/);
    assert.equal(listener.handshakes, 0);
  });

  it('on a trusted network is plain, and says so', async () => {
    const { listener, accepted } = await startServer({ trusted: true });
    const link = await dialTo(listener.port, { trusted: true });
    const other = await accepted();
    assert(!(link.socket instanceof tls.TLSSocket));
    assert.deepEqual(other.identity, IDENTITY);
    assert(!link.authenticated && !other.authenticated);
    assert.equal(listener.handshakes, 0);
  });

  it('takes the longest names', async () => {
    const identity = { client: 'c'.repeat(64), server: 's'.repeat(64) };
    const { listener, accepted } = await startServer({ host: identity.server, keyFor: () => KEY });
    await dialTo(listener.port, { identity });
    assert.deepEqual((await accepted()).identity, identity);
  });

  describe('refuses', () => {
    it('a wrong key, an unknown client, another server, and says what to do', async () => {
      const { listener, log } = await startServer();
      const tries = [
        { key: Buffer.alloc(32, 8) },
        { identity: { client: 'clientB', server: 'muskox' } },
        { identity: { client: 'clientA', server: 'reindeer' } },
      ];
      for (const options of tries) {
        const error = await failure(dialTo(listener.port, options));
        const { client, server } = options.identity ?? IDENTITY;
        assert.equal(error.code, 'wrong-key');
        assert.match(error.message, new RegExp(`^${server} \\(127.0.0.1:\\d+\\) refused our key`));
        assert.match(
          `${error.remedy}`,
          new RegExp(`izo invite ${client}\` on ${server}.*izo join`),
        );
      }
      await until(() => log.lines.length === 3 && listener.handshakes === 0);
      assert.match(log.lines[0] ?? '', /another key/);
      assert.match(log.lines[1] ?? '', /no key that we know/);
    });

    it('a client that cannot say its key, because the look-up fails', async () => {
      const { listener, log } = await startServer({
        keyFor: () => {
          throw new Error('disk on fire');
        },
      });
      assert.equal((await failure(dialTo(listener.port))).code, 'wrong-key');
      assert.match(log.lines.join(), /disk on fire|cannot read the key/);
    });

    it('to mix a trusted network with one that is not', async () => {
      const withKeys = await startServer();
      const plain = await startServer({ trusted: true });
      const tries = [
        () => dialTo(withKeys.listener.port, { trusted: true }),
        () => dialTo(plain.listener.port, { trusted: false }),
      ];
      for (const attempt of tries) {
        const error = await failure(attempt());
        assert.equal(error.code, 'network-mismatch');
        assert.match(error.message, /--trusted-network/);
      }
      await until(() => withKeys.log.lines.length > 0 && plain.log.lines.length > 0);
      assert.match(withKeys.log.lines.join(), /--trusted-network/);
      assert.match(plain.log.lines.join(), /--trusted-network/);
    });

    it('a claim that is no pair of names, and one to be somewhere else', async () => {
      const { listener, log } = await startServer({ trusted: true });
      const port = listener.port;
      const claims = ['izo-trusted ../x@muskox\n', 'hello\n', 'x'.repeat(10_000), '\n'];
      for (const claim of claims) {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('error', () => undefined).resume();
        socket.write(claim);
        await new Promise((resolve) => socket.once('close', resolve));
      }
      const identity = { client: 'clientA', server: 'reindeer' };
      const error = await failure(dialTo(port, { trusted: true, identity }));
      assert.equal(error.code, 'not-izo');
      assert.equal(log.lines.length, claims.length + 1);
    });

    it('a session that was resumed without showing the key again', async () => {
      const { listener, accepted, log } = await startServer();
      const link = await dialTo(listener.port);
      assert(link.socket instanceof tls.TLSSocket);
      const first = link.socket;
      const ticket = new Promise<Buffer>((resolve) => first.once('session', resolve));
      first.resume();
      (await accepted()).socket.write('x');
      const again = tls.connect({
        port: listener.port,
        host: '127.0.0.1',
        session: await ticket,
        minVersion: 'TLSv1.3',
      });
      again.on('error', () => undefined).resume();
      await new Promise((resolve) => again.once('close', resolve));
      await until(() => log.lines.length > 0);
      assert.match(log.lines.join(), /refused/);
      assert.equal(listener.handshakes, 0);
    });

    it('a server that speaks HTTP, or nonsense, or nothing', async () => {
      const http = await startStranger((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      assert.equal((await failure(dialTo(http))).code, 'network-mismatch');
      assert.equal((await failure(dialTo(http, { trusted: true }))).code, 'not-izo');
      const chatty = await startStranger((socket) => socket.end('x'.repeat(1000)));
      assert.equal((await failure(dialTo(chatty, { trusted: true }))).code, 'not-izo');
      const silent = await startStranger(() => undefined);
      for (const trusted of [false, true]) {
        const error = await failure(dialTo(silent, { trusted, timeoutMs: 60 }));
        assert.equal(error.code, 'unreachable');
        assert.match(error.message, /within 60 ms/);
      }
    });

    it('to connect where nobody listens, or from an address that is not here', async () => {
      const { listener } = await startServer();
      listener.close();
      const error = await failure(dialTo(listener.port));
      assert.equal(error.code, 'unreachable');
      assert.match(error.message, /is lento running/);
      const elsewhere = await failure(dialTo(listener.port, { localAddress: '203.0.113.9' }));
      assert.equal(elsewhere.code, 'address-not-here');
    });
  });

  it('tells why it cannot listen', async () => {
    const { listener } = await startServer();
    const options = {
      host: 'muskox',
      trusted: false,
      keyFor: () => KEY,
      onConnection: () => undefined,
      log: new MemoryLog(),
    };
    const busy = await failure(listen({ ...options, address: '127.0.0.1', port: listener.port }));
    assert.equal(busy.code, 'port-in-use');
    assert.equal(busy.exit, EXIT.busy);
    assert.match(`${busy.remedy}`, /ss -ltnp/);
    const elsewhere = await failure(listen({ ...options, address: '203.0.113.9', port: 0 }));
    assert.equal(elsewhere.code, 'address-not-here');
  });

  for (const trusted of [false, true]) {
    it(`lets an honest host in past hundreds that say nothing, ${trusted ? 'plain' : 'TLS'}`, async () => {
      const { listener, accepted } = await startServer({ trusted });
      for (let i = 0; i < 8; i++) await openSilently(listener.port, 50, `127.0.0.${10 + i}`);
      await openSilently(listener.port, 100, '127.0.0.1');
      assert(listener.handshakes <= 64);
      const start = performance.now();
      await dialTo(listener.port, { trusted });
      await accepted();
      assert(performance.now() - start < 1_000);
      listener.close();
      await until(() => listener.handshakes === 0);
    });

    it(`closes who does not finish the handshake in time, ${trusted ? 'plain' : 'TLS'}`, async () => {
      const { listener } = await startServer({ trusted, limits: { handshakeMs: 50 } });
      await openSilently(listener.port, 5, '127.0.0.1');
      await until(() => listener.handshakes === 5);
      await until(() => listener.handshakes === 0);
    });
  }

  it('counts by address, and lets the oldest go', () => {
    const gate = new HandshakeGate({ handshakeMs: 1, handshakes: 4, handshakesPerAddress: 2 });
    const evicted: string[] = [];
    const enter = (from: string): void => {
      gate.enter(from, from.slice(0, 1), () => evicted.push(from));
    };
    for (const from of ['a1', 'a2', 'b1', 'a3', 'c1', 'd1']) enter(from);
    assert.deepEqual(evicted, ['a1', 'a2']);
    gate.leave('b1');
    enter('e1');
    assert.deepEqual(evicted, ['a1', 'a2']);
    assert.equal(gate.size, 4);
  });

  it('reads only well-formed identities', () => {
    assert.deepEqual(parseIdentity('clientA@muskox'), IDENTITY);
    for (const text of [
      '',
      '@',
      'a@',
      '@b',
      'a@b@c',
      'a b@c',
      '../a@b',
      'a@-b',
      `${'a'.repeat(65)}@b`,
    ]) {
      assert.equal(parseIdentity(text), undefined);
    }
  });
});
