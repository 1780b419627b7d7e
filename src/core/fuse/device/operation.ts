import { PARK, type NodeId } from '../port.js';
import type { Exchange } from './exchange.js';

/**
 * How one opcode is served. `run` reads the arguments, calls the file system, and puts the payload into the reply.
 * @returns the payload's length, a negated errno or PARK.
 */
export interface Operation {
  readonly run: (exchange: Exchange) => number;
  /**
   * Gives back what a successful answer would have handed to the kernel (lookups, open files), where it could not be
   * delivered: the kernel drops the answer to a request that was aborted meanwhile, and knows nothing of them.
   */
  readonly undo?: (exchange: Exchange) => void;
  /**
   * Shows names that the kernel acts upon itself after a success, as it had found them before it asked: what was there may
   * have changed while the request was parked.
   */
  readonly names?: (exchange: Exchange, show: (parent: NodeId, name: string) => void) => void;
  /** The kernel expects no answer, not even that it failed. */
  readonly silent?: true;
}

/** For operations whose answer has no payload: what counts is whether they failed. */
export function withoutPayload(result: number): number {
  return result < 0 || result === PARK ? result : 0;
}
