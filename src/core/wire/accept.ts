import type { Socket } from 'node:net';
import type { Identity } from './identity.js';
import type { WireLog } from './log.js';
import type { Link } from './transport.js';

/** What the two ways to accept a client need to know. */
export interface AcceptOptions {
  /** This host's name: connections meant for another are refused. */
  readonly host: string;
  /** The key of a pair of hosts, or undefined: such a client is not known here. Not asked on a trusted network. */
  readonly keyFor: (identity: Identity) => Buffer | undefined;
  /** A client has proved (or, trusted, said) who it is. The socket now belongs to the callee. */
  readonly onConnection: (link: Link) => void;
  readonly log: WireLog;
}

/** What the listener gives to them. */
export interface AcceptContext extends AcceptOptions {
  readonly handshakeMs: number;
  /** The client has come through: it no longer counts as unknown. */
  readonly passed: (from: string) => void;
}

/** Takes a new connection, and the address it comes from; ends in `onConnection` or with the socket closed. */
export type Accept = (socket: Socket, from: string) => void;
