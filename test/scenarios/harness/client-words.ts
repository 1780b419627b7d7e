import { LIMITS } from '../../../src/core/model/limits.js';
import { Backoff } from '../../../src/core/replication/backoff.js';
import type { ClientState } from '../../../src/core/replication/client.js';
import type { Misfit } from '../../../src/core/replication/lost-tail.js';
import type { Batch } from './updates.js';
import type { Reply } from './wire.js';

const noChance = (): number => 0;

/** Times between attempts: after what may pass by itself, and after logs that do not go together. */
export const reconnecting = (): Backoff =>
  new Backoff(LIMITS.reconnectFirstMs, LIMITS.reconnectLongestMs, 0, noChance);
export const waiting = (): Backoff =>
  new Backoff(LIMITS.divergedFirstMs, LIMITS.divergedLongestMs, 0.5, noChance);

/** A batch that the machine has yet to judge. */
export interface InHand {
  readonly batch: Batch;
  readonly answer: (reply: Reply) => void;
}

export const MISFITS: Readonly<Record<Misfit, string>> = {
  restored: 'the server has records of this replica that its log does not have',
  other: 'the server knows another history of this replica',
  lost: 'the server has records that this log has lost, and does not go back to',
  unproven: 'the server knows a history of this replica that its log does not have any more',
  replaced: 'the server has another log',
  trimmed: 'the server lacks records that this log does not have any more',
};

export function describeClient(state: ClientState): string {
  const { link, permit, expected, sender } = state;
  const generation = 'generation' in permit ? ` ${permit.generation}` : '';
  const acked = sender === undefined ? '' : `, acked ${sender.acked - 1} of ${sender.end}`;
  return `${link}, permit ${permit.type}${generation}, expects ${expected}${acked}`;
}
