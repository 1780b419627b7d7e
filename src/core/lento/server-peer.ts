import type { Recno, ReplicaId } from '../model/ids.js';
import type { Connection, Exchange } from '../wire/connection.js';
import { Kind } from '../wire/kinds.js';
import { encodeFetch } from '../wire/messages.js';
import { RecordSink } from './record-sink.js';
import type { Replica } from './replica.js';

/** A replicator of a fileset, connected to its server: what the shell around the server machine keeps of it. */
export class ServerPeer {
  readonly sink: RecordSink;
  readonly since = new Date();
  /** PERMIT requests that wait for the grant. */
  permits: Exchange[] = [];
  acked: Recno = 0;
  /** It has said what it expects: records flow. */
  joined = false;

  constructor(
    readonly name: string,
    readonly replica: ReplicaId,
    readonly connection: Connection,
    own: Replica,
    /** Next record to expect from it, when it said hello. */
    readonly expected: Recno,
  ) {
    const { fileset } = own;
    this.sink = new RecordSink(own, replica, true, (recno) =>
      connection.fetch(Kind.FETCH, encodeFetch({ fileset, recno })),
    );
  }
}

/**
 * Why a host cannot be `replica`: another one is. Each of the two would leave out the updates of the other, taking them
 * for its own.
 */
export function copyFault(
  name: string,
  replica: ReplicaId,
  known: readonly { name: string; replica: ReplicaId }[],
): string | undefined {
  const original = known.find((host) => host.replica === replica);
  if (original === undefined) return undefined;
  return `the cache of ${name} is a copy of that of ${original.name}: make it anew with mkizofs`;
}
