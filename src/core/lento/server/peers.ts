import type { Connection } from '../../wire/connection.js';
import { Kind } from '../../wire/kinds.js';
import { encodeLeave } from '../../wire/messages.js';
import { Sessions } from '../../replication/sessions.js';
import { Flow } from '../status/flow.js';
import type { LentoLog } from '../log.js';
import type { ServerPeer } from './peer.js';

/** The replicators that have said hello, until they leave. */
export class ServerPeers implements Iterable<ServerPeer> {
  readonly #peers = new Map<string, ServerPeer>();
  /** Peers that have left, until what they had sent is settled. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #sessions = new Sessions();
  /** Why records do not flow, or did not when they last should have. */
  readonly errors = new Map<string, string>();
  readonly #flows = new Map<string, Flow>();

  constructor(
    private readonly fileset: string,
    private readonly log: LentoLog,
    /** A peer has left, and what it had sent is settled. */
    private readonly onDown: (peer: string) => void,
  ) {}

  get(name: string): ServerPeer | undefined {
    return this.#peers.get(name);
  }

  /** What passes between this host and a replicator. */
  flow(name: string): Flow {
    let flow = this.#flows.get(name);
    if (flow === undefined) this.#flows.set(name, (flow = new Flow()));
    return flow;
  }

  /** Whether it is still the one that it was, and has not left meanwhile. */
  has(peer: ServerPeer): boolean {
    return this.#peers.get(peer.name) === peer;
  }

  add(peer: ServerPeer): void {
    this.#peers.set(peer.name, peer);
  }

  [Symbol.iterator](): IterableIterator<ServerPeer> {
    return this.#peers.values();
  }

  /** Something does not flow to or from a peer: it leaves this fileset, and will say hello again. */
  fail(peer: ServerPeer, message: string): void {
    this.errors.set(peer.name, message);
    this.log.error({ fileset: this.fileset, peer: peer.name }, message);
    this.dismiss(peer.name, message);
  }

  /** It is told to leave this fileset. */
  dismiss(name: string, reason: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    this.#tellToLeave(peer, reason);
    this.leave(name, reason);
  }

  /** It says that it leaves this fileset. */
  gone(peer: ServerPeer, reason: string): void {
    this.errors.set(peer.name, reason);
    this.leave(peer.name, reason);
  }

  #tellToLeave({ connection, address }: ServerPeer, reason: string): void {
    connection.notify(Kind.LEAVE, encodeLeave({ ...address, reason }));
  }

  /** The peer's connection is gone. */
  lost(connection: Connection, reason: string): void {
    for (const peer of this) if (peer.connection === connection) this.leave(peer.name, reason);
  }

  /**
   * A host says hello for a new session: the one before is over, and so is the connection that it had that on.
   * @returns the last session, where the hello is not from after that
   */
  begin(name: string, session: number, connection: Connection): number | undefined {
    const last = this.#sessions.begin(name, session);
    if (last !== undefined) return last;
    const older = this.#peers.get(name)?.connection;
    this.leave(name, 'it connected again');
    if (older !== connection) older?.close('connected again');
    return undefined;
  }

  leave(name: string, reason: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    this.#peers.delete(name);
    this.log.info(
      { fileset: this.fileset, peer: name, reason },
      `${name} is disconnected: ${reason}`,
    );
    // What it has sent may still be on its way to the tree; nobody else gets the permit before that is settled.
    const settled = peer.sink.idle().then(() => {
      if (this.#leaving.get(name) === settled) this.#leaving.delete(name);
      this.onDown(name);
    });
    this.#leaving.set(name, settled);
  }

  /** @returns the session that this host has begun after `session`. */
  laterThan(name: string, session: number): number | undefined {
    return this.#sessions.laterThan(name, session);
  }

  /** Resolves when nothing that a peer of this name has sent is on its way any more. */
  async settled(name: string): Promise<void> {
    await this.#leaving.get(name);
  }

  close(reason: string): void {
    for (const peer of this) this.#tellToLeave(peer, reason);
    this.#peers.clear();
  }
}
