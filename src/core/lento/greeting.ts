import type { Recno, ReplicaId } from '../model/ids.js';
import type { Connection } from '../wire/connection.js';
import { Code, Kind } from '../wire/kinds.js';
import {
  decodeHello,
  decodeNumber,
  decodeReason,
  encodeHello,
  encodePosition,
  PROTOCOL_VERSION,
  type Address,
} from '../wire/messages.js';
import type { Replica } from './replica.js';

/** What both ends know after HELLO and POSITION. */
export interface Greeting {
  /** The server's log. */
  readonly server: ReplicaId;
  /** What it expects next of ours. */
  readonly theirs: Recno;
  /** What we expect next of its. */
  readonly expected: Recno;
}

/** The server has seen this later session, so that ours has to have a larger number. */
export interface Later {
  readonly later: number;
}

/** HELLO, then REPSTATUS: each side learns what the other expects, and checks that it is a place in its own history. */
export async function greet(
  connection: Connection,
  address: Address,
  replica: Replica,
): Promise<Greeting | Later | string> {
  const hello = encodeHello({
    version: PROTOCOL_VERSION,
    ...address,
    replica: replica.id,
    end: replica.end,
    expects: 1,
    checksum: 0,
  });
  const reply = await connection.request(Kind.HELLO, hello);
  if (reply.code === Code.late) return { later: decodeNumber(reply.payload) };
  if (reply.code !== Code.ok) return decodeReason(reply.payload);
  const server = decodeHello(reply.payload);
  const fault = misplaced(replica, server.expects, server.checksum);
  if (fault !== undefined) return fault;
  const { expected, checksum } = await replica.expected(server.replica);
  const position = encodePosition({ ...address, expects: expected, checksum });
  const answer = await connection.request(Kind.POSITION, position);
  if (answer.code !== Code.ok) return decodeReason(answer.payload);
  return { server: server.replica, theirs: server.expects, expected };
}

/** Why what the server expects of our log is no place in it; undefined where it is. More than the end: the machine. */
function misplaced(replica: Replica, expects: Recno, checksum: number): string | undefined {
  if (expects === 1 || checksum === 0 || expects > replica.end + 1) return undefined;
  const position = replica.reader.positionAt(expects - 1);
  return position?.checksum === checksum
    ? undefined
    : 'the server knows another history of this replica: was the cache restored from a backup?';
}
