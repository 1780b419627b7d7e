import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Identity } from './identity.js';

/**
 * How hosts reach each other: TLS 1.3 with a key that only the two hosts have. There are no certificates. Each end
 * proves that it has the key, and the key exchange is ephemeral, so that a key that leaks later opens nothing that was
 * sent before. On a trusted network (as in 2001) it is plain TCP, and hosts are believed who they say they are.
 */

/** A socket that is ready for a Connection, and what is known about its other end. */
export interface Link {
  readonly socket: Socket;
  readonly identity: Identity;
  /** False on a trusted network: the identity was claimed, not proved. */
  readonly authenticated: boolean;
  /** The other end's address and port, for messages. */
  readonly from: string;
}

/**
 * Both ends use these. Pre-shared keys come with SHA-256 in TLS 1.3, so only suites that have it will do. Without
 * SSL_OP_ALLOW_NO_DHE_KEX, OpenSSL never agrees on a key exchange that is not ephemeral.
 */
export const TLS_OPTIONS: SecureContextOptions = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
};

/** A key of less is refused at both ends. `izo invite` makes 32 bytes. */
export const KEY_BYTES_MIN = 16;

/** `10.0.0.1:2222`, `[fd00::1]:2222`; an IPv4 address that came in through an IPv6 socket is shown as what it is. */
export function formatAddress(address: string, port: number): string {
  const plain = plainAddress(address);
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

/** The `code` of an error of Node or OpenSSL; empty where it has none. */
export function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
