import type { Recno } from '../model/ids.js';
import { NO_EPOCH, type Epoch } from '../model/position.js';

/**
 * Whether all that a peer has of a log, numbers before `expected`, is of the log's history, also where the log has trimmed it
 * or lost it in a crash. Pure.
 * @param epochs of the log, in order
 * @param known the last one in which the peer's history was found to be that of the log
 */
export function isProven(epochs: readonly Epoch[], known: number, expected: Recno): boolean {
  if (expected === 1) return true;
  const at = find(epochs, known);
  return at >= 0 && expected <= (epochs[at + 1]?.from ?? Infinity);
}

/** Whether the peer, whose history is proven, has records that the log has lost in a crash. */
export function hasSeenLost(epochs: readonly Epoch[], known: number, expected: Recno): boolean {
  const next = epochs[find(epochs, known) + 1];
  return next !== undefined && expected > next.after + 1 && expected > 1;
}

function find(epochs: readonly Epoch[], known: number): number {
  return known === NO_EPOCH ? -1 : epochs.findIndex(({ id }) => id === known);
}
