import net from 'node:net';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { acceptTls } from './accept-tls.js';
import { acceptTrusted } from './accept-trusted.js';
import type { AcceptContext, AcceptOptions } from './accept.js';
import { HandshakeGate } from './handshake-gate.js';
import { errorCode, formatAddress, plainAddress } from './transport.js';
import { LISTEN_LIMITS, type ListenLimits } from './wire-limits.js';

export interface ListenOptions extends AcceptOptions {
  /** Without it: all addresses of this host. */
  readonly address?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Plain TCP; clients are believed who they say they are. */
  readonly trusted: boolean;
  readonly limits?: Partial<ListenLimits>;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** Connections that have not proved yet who they are. */
  readonly handshakes: number;
  /** Accepts no more. Links that were handed over stay. */
  close(): void;
}

/** Begins to listen. Rejects with `port-in-use`, `address-not-here` or `listen-failed`. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const limits = { ...LISTEN_LIMITS, ...options.limits };
  const gate = new HandshakeGate(limits);
  const context: AcceptContext = {
    ...options,
    handshakeMs: limits.handshakeMs,
    passed: (from) => {
      gate.leave(from);
    },
  };
  const accept = options.trusted ? acceptTrusted(context) : acceptTls(context);
  const server = net.createServer({ noDelay: true }, (socket) => {
    // It may have gone before we got here.
    const { remoteAddress, remotePort } = socket;
    socket.on('error', () => undefined);
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const from = formatAddress(remoteAddress, remotePort);
    socket.on('close', () => {
      gate.leave(from);
    });
    gate.enter(from, plainAddress(remoteAddress), () => {
      options.log.debug({ from }, 'closed: too many connections that do not say who they are');
      socket.destroy();
    });
    accept(socket, from);
  });
  await bind(server, options);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has an address');
  server.on('error', (error) => {
    options.log.error({ err: error }, 'the listener failed to accept a connection');
  });
  return {
    address: bound.address,
    port: bound.port,
    get handshakes() {
      return gate.size;
    },
    close: () => {
      server.close();
      gate.evictAll();
    },
  };
}

function bind(server: net.Server, options: ListenOptions): Promise<void> {
  const { address, port } = options;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(bindError(error, address ?? '*', port));
    });
    server.listen({ port, ...(address === undefined ? {} : { host: address }) }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function bindError(error: Error, address: string, port: number): IzoError {
  const where = formatAddress(address, port);
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return new IzoError('port-in-use', `${where} is in use by another program`, {
        exit: EXIT.busy,
        remedy:
          `See which: ss -ltnp 'sport = :${port}'. If it is a lento of this host, give each its own ` +
          'bindaddr in sysid.',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
      return new IzoError('address-not-here', `this host has no address ${address}`, {
        remedy: 'Compare bindaddr in sysid and serverdb with: ip address',
        cause: error,
      });
    default:
      return new IzoError('listen-failed', `cannot listen on ${where}: ${error.message}`, {
        cause: error,
      });
  }
}
