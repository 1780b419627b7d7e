import tls from 'node:tls';
import type { Accept, AcceptContext } from './accept.js';
import { formatIdentity, parseIdentity, type Identity } from './identity.js';
import { errorCode, formatAddress, KEY_BYTES_MIN, TLS_OPTIONS } from './transport.js';

/** Why a TLS handshake failed, as the server sees it. */
const REASONS: Record<string, string> = {
  ERR_SSL_BINDER_DOES_NOT_VERIFY: 'it has another key than we have for it',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'it has shown no key that we know',
  ERR_SSL_HTTP_REQUEST: 'it speaks HTTP',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; was it started with --trusted-network?',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it does not speak TLS 1.3',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'it did not finish the handshake in time',
};

/** Accepts clients that prove by TLS 1.3 that they have the key of the pair. */
export function acceptTls(options: AcceptContext): Accept {
  const { log } = options;
  /** What each socket has offered a valid name for; whether it has the key, OpenSSL finds out afterwards. */
  const offered = new WeakMap<tls.TLSSocket, Identity>();
  const server = tls.createServer({
    ...TLS_OPTIONS,
    handshakeTimeout: options.handshakeMs,
    pskCallback: (socket, text) => {
      // A client may offer several names; only the last one counts, whose key OpenSSL then goes on with.
      offered.delete(socket);
      const identity = parseIdentity(text);
      if (identity === undefined || identity.server !== options.host) return null;
      const key = lookUp(options, identity);
      if (key === undefined) return null;
      offered.set(socket, identity);
      return key;
    },
  });
  server.on('tlsClientError', (error, socket) => {
    const identity = offered.get(socket);
    const who = identity === undefined ? {} : { identity: formatIdentity(identity) };
    const code = errorCode(error);
    const fields = { ...who, reason: REASONS[code] ?? (code || error.message) };
    if (code === 'ECONNRESET') log.debug(fields, 'a connection was closed during the handshake');
    else log.warn(fields, 'a connection was refused');
    socket.destroy();
  });
  server.on('secureConnection', (socket) => {
    const from = formatAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    options.passed(from);
    socket.on('error', () => undefined);
    const identity = offered.get(socket);
    // A session resumed by ticket has shown no key to this socket. We offer none, so nobody honest does that.
    if (identity === undefined || !socket.isSessionReused()) {
      log.warn({ from }, 'a connection was refused: it has proved nothing');
      socket.destroy();
      return;
    }
    options.onConnection({ socket, identity, authenticated: true, from });
  });
  return (socket) => {
    server.emit('connection', socket);
  };
}

function lookUp(options: AcceptContext, identity: Identity): Buffer | undefined {
  try {
    const key = options.keyFor(identity);
    if (key === undefined || key.length >= KEY_BYTES_MIN) return key;
    options.log.error({ identity: formatIdentity(identity) }, 'the key is too short to be used');
  } catch (error) {
    options.log.error({ identity: formatIdentity(identity), err: error }, 'cannot read the key');
  }
  return undefined;
}
