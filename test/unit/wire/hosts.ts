import assert from 'node:assert/strict';
import net from 'node:net';
import { Connection } from '../../../src/core/wire/connection.js';
import { dial, type DialOptions } from '../../../src/core/wire/dial.js';
import type { Identity } from '../../../src/core/wire/identity.js';
import { listen, type Listener, type ListenOptions } from '../../../src/core/wire/listen.js';
import type { WireLog } from '../../../src/core/wire/log.js';
import type { Link } from '../../../src/core/wire/transport.js';
import type { WireLimits } from '../../../src/core/wire/wire-limits.js';

/** Two hosts in one process: muskox listens, clientA dials. What they log is kept, and nothing is printed. */

export const IDENTITY: Identity = { client: 'clientA', server: 'muskox' };
export const KEY = Buffer.alloc(32, 7);

export class MemoryLog implements WireLog {
  readonly lines: string[] = [];
  debug(): void {
    // Of no interest to tests.
  }
  info(fields: object, message: string): void {
    this.#add(fields, message);
  }
  warn(fields: object, message: string): void {
    this.#add(fields, message);
  }
  error(fields: object, message: string): void {
    this.#add(fields, message);
  }
  #add(fields: object, message: string): void {
    this.lines.push(`${message} ${JSON.stringify(fields)}`);
  }
}

/** What a test has opened; `closeAll` belongs into afterEach. */
const open: (() => void)[] = [];

export function onClose(close: () => void): void {
  open.push(close);
}

export function closeAll(): void {
  for (const close of open.splice(0).reverse()) close();
}

export interface Server {
  readonly listener: Listener;
  readonly log: MemoryLog;
  /** The next client that gets in. */
  readonly accepted: () => Promise<Link>;
}

export async function startServer(options: Partial<ListenOptions> = {}): Promise<Server> {
  const log = new MemoryLog();
  const links: Link[] = [];
  const waiting: ((link: Link) => void)[] = [];
  const listener = await listen({
    host: IDENTITY.server,
    address: '127.0.0.1',
    port: 0,
    trusted: false,
    keyFor: (identity) => (identity.client === IDENTITY.client ? KEY : undefined),
    log,
    onConnection: (link) => {
      onClose(() => link.socket.destroy());
      const waiter = waiting.shift();
      if (waiter === undefined) links.push(link);
      else waiter(link);
    },
    ...options,
  });
  onClose(() => {
    listener.close();
  });
  const accepted = (): Promise<Link> => {
    const link = links.shift();
    if (link !== undefined) return Promise.resolve(link);
    return new Promise((resolve) => waiting.push(resolve));
  };
  return { listener, log, accepted };
}

export async function dialTo(port: number, options: Partial<DialOptions> = {}): Promise<Link> {
  const link = await dial({
    address: '127.0.0.1',
    port,
    identity: IDENTITY,
    key: KEY,
    trusted: false,
    timeoutMs: 2_000,
    ...options,
  });
  onClose(() => link.socket.destroy());
  return link;
}

export interface Pair {
  readonly client: Connection;
  readonly server: Connection;
  readonly clientLog: MemoryLog;
  readonly serverLog: MemoryLog;
  /** The sockets below, to do bad things to. */
  readonly clientSocket: net.Socket;
  readonly serverSocket: net.Socket;
}

/** A connection between the two, from 127.0.0.2 to 127.0.0.1. */
export async function connectedPair(
  limits: Partial<WireLimits> = {},
  trusted = false,
): Promise<Pair> {
  const { listener, accepted } = await startServer({ trusted });
  const link = await dialTo(listener.port, { localAddress: '127.0.0.2', trusted });
  const other = await accepted();
  assert.deepEqual(other.identity, IDENTITY);
  const clientLog = new MemoryLog();
  const serverLog = new MemoryLog();
  const client = new Connection(link.socket, { peer: 'muskox', log: clientLog, limits });
  const server = new Connection(other.socket, { peer: 'clientA', log: serverLog, limits });
  onClose(() => {
    client.close('end of the test');
    server.close('end of the test');
  });
  const sockets = { clientSocket: link.socket, serverSocket: other.socket };
  return { client, server, clientLog, serverLog, ...sockets };
}

/** Two plain sockets that are connected to each other. */
export async function socketPair(): Promise<[net.Socket, net.Socket]> {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const { port } = listener.address() as net.AddressInfo;
  const accepted = new Promise<net.Socket>((resolve) => listener.once('connection', resolve));
  const dialled = net.connect(port, '127.0.0.1');
  const other = await accepted;
  listener.close();
  for (const socket of [dialled, other]) {
    socket.on('error', () => undefined);
    onClose(() => socket.destroy());
  }
  return [dialled, other];
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Polls until `condition` holds. */
export async function until(condition: () => boolean, timeoutMs = 2_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    assert(performance.now() < end, 'it did not happen in time');
    await sleep(2);
  }
}
