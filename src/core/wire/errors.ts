import { IzoError } from '../model/errors.js';

/**
 * The peer broke a rule of the protocol. Whoever notices throws this; the connection is then closed with `message` as
 * the reason. Nothing that a peer sends may cause any other error.
 */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/** The connection is gone, or went while an exchange was waiting. What the peer did with the request is unknown. */
export class ConnectionLost extends IzoError {
  readonly reason: string;

  constructor(peer: string, reason: string) {
    super('connection-lost', `the connection to ${peer} is lost: ${reason}`);
    this.name = 'ConnectionLost';
    this.reason = reason;
  }
}

/** The other end ended a bulk transfer with a code other than 0: what arrived so far is not the whole. */
export class FetchFailed extends IzoError {
  readonly reply: number;
  readonly payload: Buffer;

  constructor(peer: string, reply: number, payload: Buffer) {
    super('fetch-failed', `${peer} ended the transfer with code ${reply}`);
    this.name = 'FetchFailed';
    this.reply = reply;
    this.payload = payload;
  }
}

/** The sink no longer wants the bulk data. A source may let this pass through: the exchange has been ended. */
export class FetchAbandoned extends Error {
  constructor() {
    super('the receiver has abandoned the transfer');
    this.name = 'FetchAbandoned';
  }
}
