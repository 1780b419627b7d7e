import net from 'node:net';
import tls from 'node:tls';
import { assert } from '../model/assert.js';
import { IzoError } from '../model/errors.js';
import { receiveVerdict, sendClaim } from './claim.js';
import * as failure from './dial-errors.js';
import { formatIdentity } from './identity.js';
import { formatAddress, KEY_BYTES_MIN, TLS_OPTIONS, type Link } from './transport.js';

/** Made once: it is the same for all, and making it takes a quarter of the time of a handshake. */
let clientContext: tls.SecureContext | undefined;

export interface DialOptions extends failure.Target {
  /** The key of the pair. Not used on a trusted network. */
  readonly key?: Buffer;
  readonly trusted: boolean;
}

/**
 * Connects to a server, until both ends have proved who they are. Rejects with an IzoError: `unreachable`, `wrong-key`,
 * `network-mismatch` (one end is on a trusted network, the other not), `address-not-here`, `not-izo`.
 */
export async function dial(options: DialOptions): Promise<Link> {
  assert(options.trusted || options.key !== undefined, 'no key: only on a trusted network');
  const raw = net.connect({
    host: options.address,
    port: options.port,
    noDelay: true,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
  });
  const timer = setTimeout(() => {
    raw.destroy(failure.timedOut(options));
  }, options.timeoutMs).unref();
  try {
    await established(raw, 'connect', (error) => failure.connecting(options, error));
    const socket = options.trusted ? await claim(raw, options) : await secure(raw, options);
    const from = formatAddress(options.address, options.port);
    return { socket, identity: options.identity, authenticated: !options.trusted, from };
  } catch (error) {
    raw.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `event`. Errors of the socket are translated by `explain`, and swallowed once it is established. */
function established(
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  explain: (error: Error) => IzoError,
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('error', (error) => {
      reject(error instanceof IzoError ? error : explain(error));
    });
    socket.once('close', () => {
      reject(explain(new Error('the connection was closed')));
    });
    socket.once(event, () => {
      resolve();
    });
  });
}

async function secure(raw: net.Socket, options: DialOptions): Promise<net.Socket> {
  const { identity, key } = options;
  assert(key !== undefined && key.length >= KEY_BYTES_MIN, 'a key is long enough');
  clientContext ??= tls.createSecureContext(TLS_OPTIONS);
  const socket = tls.connect({
    secureContext: clientContext,
    socket: raw,
    pskCallback: () => ({ identity: formatIdentity(identity), psk: key }),
    // Only called for a server that shows a certificate instead of the key, whoever has signed it.
    checkServerIdentity: () => new Error('a certificate proves nothing here'),
  });
  await established(socket, 'secureConnect', (error) => failure.securing(options, error));
  // OpenSSL counts a pre-shared key as a resumed session.
  const proved = socket.isSessionReused() && Object.keys(socket.getPeerCertificate()).length === 0;
  const ephemeral = socket.getEphemeralKeyInfo();
  if (!proved || ephemeral === null || !('name' in ephemeral)) {
    socket.destroy();
    throw failure.notIzo(options);
  }
  return socket;
}

async function claim(raw: net.Socket, options: DialOptions): Promise<net.Socket> {
  const failed = new Promise<never>((_, reject) => {
    raw.once('error', (error) => {
      reject(error instanceof IzoError ? error : failure.connecting(options, error));
    });
  });
  sendClaim(raw, options.identity);
  const verdict = await Promise.race([receiveVerdict(raw), failed]);
  if (verdict === true) return raw;
  if (verdict === false) throw failure.unwelcome(options);
  throw verdict === 'garbage' ? failure.notIzo(options) : failure.plainToTls(options);
}
