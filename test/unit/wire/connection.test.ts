import assert from 'node:assert/strict';
import { Connection } from '../../../src/core/wire/connection.js';
import { ConnectionLost, ProtocolError } from '../../../src/core/wire/errors.js';
import { Code, Kind } from '../../../src/core/wire/kinds.js';
import { encodeHeader, PacketType } from '../../../src/core/wire/packet.js';
import { closeAll, connectedPair, MemoryLog, sleep, socketPair, until } from './hosts.js';

const EMPTY = Buffer.alloc(0);

function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && 'code' in error && error.code === code;
}

/** A connection whose other end is a bare socket, to say what no honest peer says. */
async function connectionToNobody(
  limits = {},
): Promise<{ connection: Connection; log: MemoryLog; readonly say: (packet: Buffer) => void }> {
  const [mine, theirs] = await socketPair();
  const log = new MemoryLog();
  const connection = new Connection(mine, { peer: 'nobody', log, limits });
  theirs.resume();
  return { connection, log, say: (packet) => theirs.write(packet) };
}

interface Head {
  type: PacketType;
  kind?: number;
  ctoken: number;
  stoken?: number;
}

function packet(head: Head, payload: Buffer = EMPTY): Buffer {
  const header = encodeHeader({ kind: 0, stoken: 0, ...head }, payload.length);
  return Buffer.concat([header, payload]);
}

describe('wire connection', () => {
  afterEach(closeAll);

  for (const trusted of [false, true]) {
    it(`answers many requests at once, both ways, ${trusted ? 'plain' : 'over TLS'}`, async () => {
      const { client, server } = await connectedPair({}, trusted);
      server.onRequest(async (kind, payload, exchange) => {
        // In another order than they came.
        await sleep(payload.length % 7);
        exchange.reply(kind, payload);
      });
      client.onRequest((kind, payload, exchange) => {
        exchange.reply(-kind, payload);
      });
      const ask = async (connection: Connection, sign: number, i: number): Promise<void> => {
        const payload = Buffer.alloc(i * 37, i);
        const reply = await connection.request(i + 20, payload);
        assert.equal(reply.code, sign * (i + 20));
        assert(reply.payload.equals(payload));
      };
      const asked = Array.from({ length: 300 }, (_, i) => [ask(client, 1, i), ask(server, -1, i)]);
      await Promise.all(asked.flat());
    });
  }

  it('delivers notices in order with requests, and does not answer them', async () => {
    const { client, server } = await connectedPair();
    const heard: string[] = [];
    server.onRequest((_kind, payload, exchange) => {
      heard.push(`${exchange.wanted ? 'request' : 'notice'} ${payload.toString()}`);
      exchange.reply(Code.ok);
    });
    client.notify(Kind.ACK, Buffer.from('1'));
    const replied = client.request(Kind.RECORDS, Buffer.from('2'));
    client.notify(Kind.ACK, Buffer.from('3'));
    await replied;
    await client.request(Kind.RECORDS, Buffer.from('4'));
    assert.deepEqual(heard, ['notice 1', 'request 2', 'notice 3', 'request 4']);
  });

  it('answers for a handler that fails, logs it and goes on', async () => {
    const { client, server, serverLog } = await connectedPair();
    assert.equal((await client.request(99, EMPTY)).code, Code.unknown);
    server.onRequest((kind, _payload, exchange) => {
      if (kind === 20) throw new Error('at once');
      if (kind === 21) return Promise.reject(new Error('later'));
      exchange.reply(Code.ok);
      return undefined;
    });
    assert.equal((await client.request(20, EMPTY)).code, Code.failed);
    assert.equal((await client.request(21, EMPTY)).code, Code.failed);
    assert.equal((await client.request(22, EMPTY)).code, Code.ok);
    assert.equal(serverLog.lines.length, 2);
  });

  it('closes when a handler finds that the peer broke a rule', async () => {
    for (const later of [false, true]) {
      const { client, server } = await connectedPair();
      server.onRequest((): Promise<void> | undefined => {
        const error = new ProtocolError('nonsense');
        if (later) return Promise.reject(error);
        throw error;
      });
      await assert.rejects(client.request(20, EMPTY), ConnectionLost);
      assert.match(await server.closed, /broke the protocol: nonsense/);
    }
  });

  it('gives up waiting after a time-out, and takes the late answer in its stride', async () => {
    const { client, server } = await connectedPair();
    let answer: () => void = () => undefined;
    server.onRequest((kind, _payload, exchange) => {
      answer = () => {
        exchange.reply(Code.ok);
      };
      if (kind === 21) answer();
    });
    await assert.rejects(client.request(20, EMPTY, { timeoutMs: 20 }), withCode('request-timeout'));
    answer();
    assert.equal((await client.request(21, EMPTY)).code, Code.ok);
  });

  it('bounds what is asked and not answered, at both ends', async () => {
    const { client, server } = await connectedPair({ requests: 3, requestBytes: 1000 });
    server.onRequest(() => undefined);
    const waiting = [1, 2].map(() => client.request(20, EMPTY));
    await assert.rejects(client.request(20, Buffer.alloc(1001)), withCode('too-many-requests'));
    waiting.push(client.request(20, EMPTY));
    await assert.rejects(client.request(20, EMPTY), withCode('too-many-requests'));
    const lost = Promise.all(waiting.map((w) => assert.rejects(w, ConnectionLost)));
    client.close('enough');
    await lost;

    const { connection, say } = await connectionToNobody({ requests: 3 });
    connection.onRequest(() => undefined);
    for (let ctoken = 1; ctoken <= 4; ctoken++) {
      say(packet({ type: PacketType.REQ, kind: 20, ctoken }));
    }
    assert.match(await connection.closed, /too many requests/);
  });

  it('ends for both when one closes, with what was said before', async () => {
    const { client, server } = await connectedPair();
    const heard: number[] = [];
    server.onRequest((kind) => {
      heard.push(kind);
    });
    const waiting = assert.rejects(client.request(20, EMPTY), ConnectionLost);
    client.notify(21, Buffer.alloc(1_000_000));
    client.close('good night');
    await waiting;
    assert.equal(await client.closed, 'good night');
    assert.match(await server.closed, /the other end has closed it/);
    assert.deepEqual(heard, [20, 21]);
    await assert.rejects(client.request(20, EMPTY), ConnectionLost);
    client.notify(20, EMPTY);
  });

  it('gives up a peer that does not read', async () => {
    const { client, server, serverSocket } = await connectedPair({
      sendBytes: 3_000_000,
      requestBytes: 1_000_000,
    });
    serverSocket.pause();
    for (let i = 0; i < 50; i++) client.notify(20, Buffer.alloc(1_000_000));
    assert.match(await client.closed, /does not read/);
    server.close('too');
  });

  describe('disconnects a peer that', () => {
    const token = { ctoken: 7, stoken: 1 };
    const code = Buffer.alloc(4);
    const breaches: [string, RegExp, Buffer[]][] = [
      [
        'answers what nobody asked',
        /nobody asked/,
        [packet({ type: PacketType.REP, ...token }, code)],
      ],
      [
        'sends data nobody asked for',
        /nobody asked/,
        [packet({ type: PacketType.DAT, ...token }, code)],
      ],
      ['uses a reserved type', /type 4/, [packet({ type: PacketType.MSG, ...token })]],
      ['speaks something else', /not this protocol/, [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
      [
        'uses a ctoken twice',
        /ctoken is used twice/,
        [1, 2].map(() => packet({ type: PacketType.REQ, kind: 20, ctoken: 7 })),
      ],
      [
        'allows more than a window',
        /more than a window/,
        [
          packet({ type: PacketType.REQ, kind: 20, ctoken: 7 }),
          packet({ type: PacketType.SND, ctoken: 7 }, Buffer.alloc(4, 0xff)),
        ],
      ],
    ];
    for (const [what, reason, packets] of breaches) {
      it(what, async () => {
        const { connection, log, say } = await connectionToNobody();
        connection.onRequest(() => undefined);
        say(Buffer.concat(packets));
        assert.match(await connection.closed, reason);
        assert.equal(log.lines.length, 1);
      });
    }

    it('answers a request with data, or twice, or with another stoken', async () => {
      const answers = [
        packet({ type: PacketType.DAT, ctoken: 1, stoken: 1 }, code),
        Buffer.concat(
          [1, 2].map(() => packet({ type: PacketType.REP, ctoken: 1, stoken: 1 }, code)),
        ),
      ];
      for (const answer of answers) {
        const { connection, say } = await connectionToNobody();
        connection.request(20, EMPTY).catch(() => undefined);
        say(answer);
        assert.match(await connection.closed, /broke the protocol/);
      }
      const { connection, say } = await connectionToNobody();
      connection.fetch(20, EMPTY);
      say(packet({ type: PacketType.DAT, ctoken: 1, stoken: 1 }, code));
      say(packet({ type: PacketType.DAT, ctoken: 1, stoken: 2 }, code));
      assert.match(await connection.closed, /changes its stoken/);
    });
  });

  describe('keep-alive', () => {
    const limits = { keepAliveMs: 40, linkLostMs: 120 };

    it('notices a peer that falls silent, and tells who waits', async () => {
      const { connection } = await connectionToNobody(limits);
      const start = performance.now();
      await assert.rejects(connection.request(20, EMPTY), /nothing heard for/);
      const took = performance.now() - start;
      assert(took > 100 && took < 400, `after ${took} ms`);
    });

    it('keeps a connection on which nobody has anything to say', async () => {
      const { client, server } = await connectedPair(limits);
      server.onRequest((_kind, payload, exchange) => {
        exchange.reply(Code.ok, payload);
      });
      await sleep(500);
      assert.equal((await client.request(20, EMPTY)).code, Code.ok);
    });

    it('does not take a stall of its own for silence of the peer', async () => {
      const { client, server } = await connectedPair(limits);
      server.onRequest((_kind, payload, exchange) => {
        exchange.reply(Code.ok, payload);
      });
      const end = performance.now() + 300;
      while (performance.now() < end);
      await sleep(100);
      assert.equal((await client.request(20, EMPTY)).code, Code.ok);
    });
  });

  it('rejects who waits when the peer is killed', async () => {
    const { client, server, serverSocket } = await connectedPair();
    let asked = 0;
    server.onRequest(() => {
      asked++;
    });
    const waiting = Array.from({ length: 5 }, () =>
      assert.rejects(client.request(20, EMPTY), ConnectionLost),
    );
    await until(() => asked === 5);
    serverSocket.destroy();
    await Promise.all(waiting);
    await client.closed;
  });
});
