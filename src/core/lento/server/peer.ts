import type { Recno, ReplicaId } from '../../model/ids.js';
import { NO_STRETCH, type Stretch } from '../../model/position.js';
import type { RecordHead } from '../../model/records.js';
import { isGivenBack, type Begin } from '../../replication/lost-tail.js';
import { E } from '../../system/errno.js';
import type { Connection, Exchange } from '../../wire/connection.js';
import { Kind } from '../../wire/kinds.js';
import { encodeFetch, PROTOCOL_VERSION, type Address, type Hello } from '../../wire/messages.js';
import type { Flow } from '../status/flow.js';
import { PeerBacklog } from '../records/peer-backlog.js';
import { RecordSink } from '../records/record-sink.js';
import type { Replica } from '../replica.js';

/** A replicator of a fileset, connected to its server: what the shell around the server machine keeps of it. */
export class ServerPeer {
  readonly sink: RecordSink;
  readonly since = new Date();
  /** PERMIT requests that wait for the grant. */
  permits: Exchange[] = [];
  acked: Recno = 0;
  backlog: PeerBacklog;
  #begin: Begin = { intact: Infinity, resumes: Infinity };

  constructor(
    readonly name: string,
    readonly replica: ReplicaId,
    readonly connection: Connection,
    /** Of this session: it comes with every request. */
    readonly address: Address,
    private readonly own: Replica,
    /** When it said hello: the next record to expect from it, whether it has that, and the epoch of its log. */
    readonly progress: {
      readonly expected: Recno;
      readonly hasNews: boolean;
      readonly epoch: number;
    },
    flow: Flow,
  ) {
    this.backlog = new PeerBacklog(own, NO_STRETCH, 0);
    this.sink = new RecordSink({
      replica: own,
      peer: replica,
      expected: progress.expected,
      log: true,
      flow,
      fetch: (wanted) =>
        connection.fetch(Kind.FETCH, encodeFetch({ ...address, ...wanted, packed: own.packed })),
    });
  }

  /**
   * It has said where its log begins for us, and what it has in part of ours: records flow. Where it has news of its own
   * that we lack, ours are merged with them as they were made; what is already begun to be shortened goes on so.
   */
  join(begin: Begin, stretch: Stretch): void {
    this.#begin = begin;
    this.backlog = new PeerBacklog(this.own, stretch, this.progress.hasNews ? 0 : this.own.end);
    this.sink.resumeAt(begin.resumes);
  }

  /** Whether it gets this record: not what it has made itself, unless it has lost that. */
  readonly wants = ({ origin, originRecno }: RecordHead): boolean =>
    origin !== this.replica || isGivenBack(originRecno, this.progress.expected, this.#begin);
}

/**
 * Why a hello is not accepted. A cache that is a copy of another one's would leave out the updates of that, and be left
 * out by it: each takes the other's for its own.
 */
export function helloRefusal(
  { version, replica }: Hello,
  name: string,
  self: string,
  known: readonly { name: string; replica: ReplicaId }[],
): { code: number; reason: string } | undefined {
  if (version !== PROTOCOL_VERSION) {
    const versions = `${self} speaks protocol version ${PROTOCOL_VERSION}, ${name} ${version}`;
    return { code: E.EPROTONOSUPPORT, reason: `${versions}: install the same izo on both` };
  }
  const original = known.find((host) => host.replica === replica && host.name !== name);
  if (original === undefined) return undefined;
  const copied = `the cache of ${name} is a copy of that of ${original.name}`;
  return { code: E.EINVAL, reason: `${copied}: make it anew with mkizofs` };
}
