import { LIMITS } from '../model/limits.js';
import type { Recno } from '../model/ids.js';

/**
 * The stream of records to one peer: batches follow each other without waiting for acknowledgements, up to a window. Pure.
 *
 * Invariants: (1) acked <= next; (2) records from acked on are kept by this host; (3) one batch is read at a time,
 * because where the next begins is known only when the one before is cut.
 */
export interface SenderState {
  /** Next record to send. */
  readonly next: Recno;
  /** The peer has everything before this one. */
  readonly acked: Recno;
  /** Last record of the log. */
  readonly end: Recno;
  readonly inFlight: number;
  readonly reading: boolean;
  /** The peer gets no records: it is to take the whole tree, and then says hello again. */
  readonly paused: boolean;
}

/** A sender for a peer that expects `expected`. */
export function senderFor(expected: Recno, end: Recno): SenderState {
  return { next: expected, acked: expected, end, inFlight: 0, reading: false, paused: false };
}

/** Nothing is sent to a peer that expects `expected`, which is not in the log any more. */
export function pausedFor(expected: Recno, end: Recno): SenderState {
  return { ...senderFor(expected, end), paused: true };
}

/** @returns the state in which a batch from `next` on is being read, or undefined where there is nothing to do. */
export function startBatch(state: SenderState): SenderState | undefined {
  const idle =
    state.paused ||
    state.reading ||
    state.inFlight >= LIMITS.batchesInFlight ||
    state.next > state.end;
  return idle ? undefined : { ...state, reading: true };
}

/** A batch was sent: the next one begins at `next`. */
export function batchSent(state: SenderState, next: Recno): SenderState {
  return {
    ...state,
    reading: false,
    inFlight: state.inFlight + 1,
    next: Math.max(state.next, next),
  };
}

/** The peer answered a batch, or said in passing what it expects. */
export function batchAnswered(state: SenderState, expected: Recno): SenderState {
  return { ...acknowledged(state, expected), inFlight: Math.max(0, state.inFlight - 1) };
}

export function acknowledged(state: SenderState, expected: Recno): SenderState {
  return expected > state.acked ? { ...state, acked: expected } : state;
}

export function logGrew(state: SenderState, end: Recno): SenderState {
  return end > state.end ? { ...state, end } : state;
}

/** Records that the peer does not have yet, as far as is known. */
export function pending(state: SenderState): number {
  return Math.max(0, state.end + 1 - state.acked);
}
