import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ConnectionLost, FetchAbandoned, FetchFailed } from '../../../src/core/wire/errors.js';
import { Code, Kind } from '../../../src/core/wire/kinds.js';
import { WIRE_LIMITS } from '../../../src/core/wire/wire-limits.js';
import { closeAll, connectedPair, sleep, until } from './hosts.js';

const EMPTY = Buffer.alloc(0);
const MIB = 1024 * 1024;

/** Bytes that are different everywhere, the same in every run. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, x = 1; i < length; i += 4) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(x, i);
  }
  return bytes;
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('wire fetch', () => {
  afterEach(closeAll);

  it('carries 20 MiB intact while small requests stay fast', async () => {
    const { client, server } = await connectedPair();
    const content = noise(20 * MIB);
    server.onRequest(async (kind, payload, exchange) => {
      if (kind === Kind.FETCH) {
        // One buffer for all, as a source reads a file; in sizes that are not those of the chunks.
        const buffer = Buffer.alloc(300_000);
        for (let at = 0; at < content.length; at += buffer.length) {
          const size = content.copy(buffer, 0, at, at + buffer.length);
          await exchange.data(buffer.subarray(0, size));
        }
      }
      exchange.reply(Code.ok, payload);
    });
    const chunks: Buffer[] = [];
    const state = { done: false };
    const fetched = (async () => {
      const fetch = client.fetch(Kind.FETCH, Buffer.from('which'));
      for await (const chunk of fetch) chunks.push(chunk);
      state.done = true;
      return fetch.trailer;
    })();
    const times: number[] = [];
    do {
      const start = performance.now();
      await client.request(Kind.RECORDS, Buffer.alloc(1024));
      times.push(performance.now() - start);
      await sleep(0);
    } while (!state.done);
    assert.equal((await fetched).toString(), 'which');
    assert.equal(digest(Buffer.concat(chunks)), digest(content));
    times.sort((a, b) => a - b);
    const median = times[times.length >> 1] ?? 0;
    assert(median < 20, `median of ${times.length} round trips: ${median} ms`);
  });

  it('runs many at a time, both ways, empty ones too', async () => {
    const { client, server } = await connectedPair();
    for (const end of [client, server]) {
      end.onRequest(async (_kind, payload, exchange) => {
        const size = payload.readUInt32LE(0);
        await exchange.data(noise(size));
        exchange.reply(Code.ok, payload);
      });
    }
    const sizes = [0, 1, 4, 1000, 262_144, 262_145, 3_000_000, 5_000_000];
    const fetches = sizes.flatMap((size) =>
      [client, server].map(async (end) => {
        const which = Buffer.alloc(4);
        which.writeUInt32LE(size & ~3);
        const fetch = end.fetch(Kind.FETCH, which);
        const chunks: Buffer[] = [];
        for await (const chunk of fetch) chunks.push(chunk);
        assert.equal(digest(Buffer.concat(chunks)), digest(noise(size & ~3)));
        assert.deepEqual(fetch.trailer, which);
      }),
    );
    await Promise.all(fetches);
  });

  it('throws at the sink what the source says, before or after data', async () => {
    const { client, server } = await connectedPair();
    server.onRequest(async (_kind, payload, exchange) => {
      if (payload.length > 0) await exchange.data(payload);
      exchange.reply(116, Buffer.from('stale'));
    });
    for (const payload of [EMPTY, Buffer.from('x')]) {
      const fetch = client.fetch(Kind.FETCH, payload);
      const failed = (async () => {
        for await (const chunk of fetch) assert.deepEqual(chunk, payload);
      })();
      await assert.rejects(failed, (error) => {
        assert(error instanceof FetchFailed);
        return error.reply === 116 && error.payload.toString() === 'stale';
      });
      assert.throws(() => fetch.trailer);
    }
  });

  it('stops the source when the sink has had enough', async () => {
    const { client, server, serverLog } = await connectedPair();
    let sent = 0;
    let stopped: unknown;
    server.onRequest(async (kind, _payload, exchange) => {
      if (kind !== Kind.FETCH) {
        exchange.reply(Code.ok);
        return;
      }
      try {
        for (;;) {
          await exchange.data(Buffer.alloc(100_000));
          sent += 100_000;
        }
      } catch (error) {
        stopped = error;
        throw error;
      }
    });
    for await (const chunk of client.fetch(Kind.FETCH, EMPTY)) {
      assert(chunk.length > 0);
      break;
    }
    await until(() => stopped !== undefined);
    assert(stopped instanceof FetchAbandoned);
    assert(sent <= WIRE_LIMITS.windowBytes * 2);
    // The exchange is over at both ends, and the connection as good as before.
    assert.equal((await client.request(Kind.RECORDS, EMPTY)).code, Code.ok);
    assert.deepEqual(serverLog.lines, []);

    const never = client.fetch(Kind.FETCH, EMPTY);
    const waiting = never.next();
    never.abandon();
    await waiting.catch(() => undefined);
    await assert.rejects(never.next(), /abandoned/);
    assert.equal((await client.request(Kind.RECORDS, EMPTY)).code, Code.ok);
  });

  it('makes the source wait for a slow sink, which holds one window at most', async () => {
    const { client, server } = await connectedPair();
    let sent = 0;
    server.onRequest(async (_kind, _payload, exchange) => {
      for (let i = 0; i < 100; i++) {
        await exchange.data(Buffer.alloc(100_000));
        sent += 100_000;
      }
      exchange.reply(Code.ok);
    });
    const fetch = client.fetch(Kind.FETCH, EMPTY);
    const { windowBytes } = WIRE_LIMITS;
    // However long it takes to get there, it does not go beyond.
    await until(() => sent > windowBytes / 2, 10_000);
    await sleep(100);
    assert(sent <= windowBytes, `${sent} sent before anything was taken`);
    let taken = 0;
    for await (const chunk of fetch) {
      taken += chunk.length;
      await sleep(1);
      assert(sent <= taken + windowBytes);
    }
    assert.equal(taken, 100 * 100_000);
  });

  it('counts tiny chunks for more than they are', async () => {
    const { client, server } = await connectedPair();
    let sent = 0;
    server.onRequest(async (_kind, _payload, exchange) => {
      for (; sent < 10_000; sent++) await exchange.data(Buffer.alloc(1));
      exchange.reply(Code.ok);
    });
    const fetch = client.fetch(Kind.FETCH, EMPTY);
    const allowed = WIRE_LIMITS.windowBytes / 1024;
    // However long it takes to get there, it does not go beyond.
    while (sent < allowed) await sleep(10);
    await sleep(300);
    assert.equal(sent, allowed);
    let taken = 0;
    for await (const chunk of fetch) taken += chunk.length;
    assert.equal(taken, 10_000);
  });

  it('fails at both ends when the peer is killed in the middle', async () => {
    const { client, server, serverSocket } = await connectedPair();
    let failure: unknown;
    server.onRequest(async (_kind, _payload, exchange) => {
      try {
        for (;;) await exchange.data(Buffer.alloc(100_000));
      } catch (error) {
        failure = error;
        exchange.reply(Code.ok);
      }
    });
    let taken = 0;
    const fetched = (async () => {
      for await (const chunk of client.fetch(Kind.FETCH, EMPTY)) {
        taken += chunk.length;
        if (taken > MIB) serverSocket.destroy();
      }
    })();
    await assert.rejects(fetched, ConnectionLost);
    await until(() => failure !== undefined);
    assert(failure instanceof ConnectionLost);
  });
});
