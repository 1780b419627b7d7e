import type { Recno, ReplicaId } from '../model/ids.js';
import { NO_EPOCH, type Stretch } from '../model/position.js';
import type { Misfit } from '../replication/lost-tail.js';
import { E } from '../system/errno.js';
import type { Connection, Reply } from '../wire/connection.js';
import { Code, Kind } from '../wire/kinds.js';
import {
  decodeHello,
  decodeNumber,
  decodePositionReply,
  decodeReason,
  encodeHello,
  encodePosition,
  NO_CLAIM,
  PROTOCOL_VERSION,
  type Address,
} from '../wire/messages.js';
import type { Replica } from './replica.js';

/** Each side knows where the other is. */
export interface Met {
  /** `behind`: what we expect of its log was trimmed. */
  readonly type: 'met' | 'behind';
  /** The server's log. */
  readonly server: ReplicaId;
  /** What it gets next of ours. */
  readonly theirs: Recno;
  /** The stretch of our log that it has in part, shortened. */
  readonly stretch: Stretch;
  /** What we get next of its. */
  readonly expected: Recno;
}

/** How a greeting ends. */
export type Greeting =
  | Met
  /** The server has seen this later session, so that ours has to have a larger number. */
  | { readonly type: 'late'; readonly session: number }
  /** It may be otherwise the next time. */
  | { readonly type: 'refused'; readonly reason: string }
  /** The logs do not fit. */
  | { readonly type: 'misfit'; readonly reason: string };

/** HELLO, then REPSTATUS: each side learns what the other expects, and checks that it is a place in its own history. */
export async function greet(
  connection: Connection,
  address: Address,
  replica: Replica,
): Promise<Greeting> {
  const hello = encodeHello({
    version: PROTOCOL_VERSION,
    ...address,
    replica: replica.id,
    end: replica.end,
    current: replica.epoch,
    claim: NO_CLAIM,
  });
  const reply = await connection.request(Kind.HELLO, hello);
  if (reply.code === Code.late) return { type: 'late', session: decodeNumber(reply.payload) };
  if (reply.code !== Code.ok) return refused(reply);
  const server = decodeHello(reply.payload);
  const claim = await replica.expected(server.replica);
  const isReplaced = claim.expected === 1 && claim.others;
  const begin = isReplaced ? 'replaced' : replica.beginFor(server.claim);
  if (typeof begin === 'string') return { type: 'misfit', reason: misfit(begin, address.fileset) };
  const position = encodePosition({ ...address, claim, ...begin });
  const answer = await connection.request(Kind.POSITION, position);
  // A server that was set back may get to where this host is, and trim its log: then only the epoch could tell.
  const agreed = answer.code === Code.ok ? server.current : NO_EPOCH;
  if (agreed !== NO_EPOCH || answer.code === E.EINVAL) {
    await replica.agreed(server.replica, agreed);
  }
  if (answer.code !== Code.ok) return refused(answer);
  const { resumes, behind } = decodePositionReply(answer.payload);
  const type = behind ? 'behind' : 'met';
  const theirs = begin.resumes;
  const { stretch } = server.claim;
  return { type, server: server.replica, theirs, stretch, expected: resumes };
}

function refused({ code, payload }: Reply): Greeting {
  const reason = decodeReason(payload);
  return { type: code === E.EINVAL ? 'misfit' : 'refused', reason };
}

/** Why what the server expects of our log is no place in it, and what to do. */
function misfit(kind: Misfit, fileset: string): string {
  const remedy =
    kind === 'trimmed'
      ? `run \`izo recovery ${fileset} --reset\` on the server, then here as well`
      : `\`izo recovery ${fileset} --reset\` makes it a new replica, which is merged with the server`;
  return `${MISFITS[kind]} Nothing is exchanged. Unmount it; ${remedy}`;
}

const MISFITS: Readonly<Record<Misfit, string>> = {
  restored:
    'the server has records of this replica that its log does not have: was the cache restored from a backup?',
  other: 'the server knows another history of this replica: was the cache restored from a backup?',
  unproven:
    'the server knows a history of this replica that its log does not have any more: was one of the caches restored from a backup?',
  lost: 'the server has records of this replica that its log has lost in a crash, and was trimmed behind them.',
  replaced:
    'the server has another log than the one that this replica has followed: was its cache replaced, or begun anew?',
  trimmed:
    'the server lacks records that this log does not have any more: was its cache restored from a backup?',
};
