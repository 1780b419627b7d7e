import { assert } from '../model/assert.js';
import { LIMITS } from '../model/limits.js';

const MIB = 1024 * 1024;

/**
 * Limits of one connection. Both ends must have the same sizes and counts, so only tests and the times may differ from
 * WIRE_LIMITS.
 */
export interface WireLimits {
  /** One packet, header included. */
  readonly packetBytes: number;
  /** One DAT packet's payload. */
  readonly chunkBytes: number;
  /** What a source may send of one transfer before the sink has taken it. */
  readonly windowBytes: number;
  /** Requests of one end that are not answered yet, and their payloads together. */
  readonly requests: number;
  readonly requestBytes: number;
  /** Bytes waiting to be sent; a peer that lets more pile up does not read and is given up. */
  readonly sendBytes: number;
  readonly keepAliveMs: number;
  readonly linkLostMs: number;
  /** How long `close` waits for the peer to read what was sent before, and to leave. */
  readonly closeMs: number;
}

export const WIRE_LIMITS: WireLimits = {
  packetBytes: LIMITS.packetBytes,
  chunkBytes: LIMITS.chunkBytes,
  windowBytes: LIMITS.chunkBytes * 8,
  requests: 1024,
  requestBytes: 32 * MIB,
  sendBytes: 64 * MIB,
  keepAliveMs: LIMITS.keepAliveMs,
  linkLostMs: LIMITS.linkLostMs,
  closeMs: 1_000,
};

/** Limits of a listener: what hosts that have not proved who they are may occupy. */
export interface ListenLimits {
  readonly handshakeMs: number;
  readonly handshakes: number;
  readonly handshakesPerAddress: number;
}

export const LISTEN_LIMITS: ListenLimits = {
  handshakeMs: 5_000,
  handshakes: 64,
  handshakesPerAddress: 16,
};

/** A DAT packet counts as this much at least, so that a window cannot be filled with a million tiny buffers. */
const DAT_COST_MIN = 1024;

/** What a DAT packet with `length` bytes takes from the window. Both ends count alike. */
export function chunkCost(length: number): number {
  return Math.max(length, DAT_COST_MIN);
}

/** The defaults with `changes`, checked against each other. */
export function wireLimits(changes: Partial<WireLimits> = {}): WireLimits {
  const limits = { ...WIRE_LIMITS, ...changes };
  assert(limits.packetBytes > limits.chunkBytes, 'a chunk must fit into a packet');
  assert(limits.windowBytes >= 2 * chunkCost(limits.chunkBytes), 'a window is two chunks or more');
  assert(limits.sendBytes > limits.requestBytes, 'requests alone must not fill the send buffer');
  assert(limits.linkLostMs > limits.keepAliveMs, 'a link is probed before it is given up');
  return limits;
}
