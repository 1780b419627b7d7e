import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import type { Identity } from './identity.js';
import { errorCode, formatAddress } from './transport.js';

/** What went wrong on the way to a server, in the words of whoever must repair it. */

/** Where to, and from where. */
export interface Target {
  /** The server's address, or a name that resolves to it. */
  readonly address: string;
  readonly port: number;
  /** The address to connect from, where this host has several and its sysid names one. */
  readonly localAddress?: string;
  readonly identity: Identity;
  /** For everything: until the other end has accepted us. */
  readonly timeoutMs: number;
}

/** Why a connection could not even be made, by the system's error code. */
const CONNECTING: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there; is lento running on it?',
  EHOSTUNREACH: 'there is no way to this host; is it switched on?',
  ENETUNREACH: 'there is no way to this network',
  ETIMEDOUT: 'it does not answer; is it switched on, and does a firewall let the port through?',
  ENOTFOUND: 'this name has no address',
  EAI_AGAIN: 'the name service does not answer',
  ECONNRESET: 'it closed the connection',
};

function where(target: Target): string {
  return `${target.identity.server} (${formatAddress(target.address, target.port)})`;
}

function unreachable(target: Target, reason: string, cause?: Error): IzoError {
  return new IzoError('unreachable', `cannot reach ${where(target)}: ${reason}`, { cause });
}

export function timedOut(target: Target): IzoError {
  return unreachable(target, `no answer within ${target.timeoutMs} ms`);
}

/** Before the connection was there. */
export function connecting(target: Target, error: Error): IzoError {
  if (errorCode(error) === 'EADDRNOTAVAIL' && target.localAddress !== undefined) {
    const message = `this host has no address ${target.localAddress} to connect from`;
    const remedy = 'Compare bindaddr in sysid with: ip address';
    return new IzoError('address-not-here', message, { remedy, cause: error });
  }
  return unreachable(target, CONNECTING[errorCode(error)] ?? error.message, error);
}

/** During the TLS handshake. */
export function securing(target: Target, error: Error): IzoError {
  const code = errorCode(error);
  // What is no TLS record at all: the other end speaks plain TCP.
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL)$/.test(code)) {
    return mismatch(
      target,
      'it does not use keys',
      'Start lento without --trusted-network there (recommended), or with it here.',
      error,
    );
  }
  // An alert is the other end's way to say no: an unknown client, or a wrong key.
  if (/^ERR_SSL_.*ALERT/.test(code)) return wrongKey(target, error);
  if (/^ERR_SSL_|CERT|certificate/i.test(`${code} ${error.message}`)) return notIzo(target, error);
  return unreachable(target, 'it closed the connection during the handshake', error);
}

function wrongKey(target: Target, cause: Error): IzoError {
  const { client, server } = target.identity;
  return new IzoError('wrong-key', `${where(target)} refused our key`, {
    exit: EXIT.notPermitted,
    remedy: `Make a new one: run \`izo invite ${client}\` on ${server}, and the \`izo join\` it prints here.`,
    cause,
  });
}

/** We speak plain TCP, and the other end hung up at our first words, as a TLS server does, or answered in TLS. */
export function plainToTls(target: Target): IzoError {
  return mismatch(
    target,
    'it does not take plain words',
    'Start lento without --trusted-network here (recommended), or with it there.',
  );
}

function mismatch(target: Target, what: string, remedy: string, cause?: Error): IzoError {
  const message = `${where(target)} and this host differ in --trusted-network: ${what}`;
  return new IzoError('network-mismatch', message, { remedy, cause });
}

export function notIzo(target: Target, cause?: Error): IzoError {
  const remedy = 'Check ipaddr and port in serverdb.';
  return new IzoError('not-izo', `what answers at ${where(target)} is not izo`, { remedy, cause });
}

export function unwelcome(target: Target): IzoError {
  const { server } = target.identity;
  const message = `the host at ${where(target)} says that it is not ${server}`;
  return new IzoError('not-izo', message, {
    remedy: 'Check ipaddr in serverdb and the name in its sysid.',
  });
}
