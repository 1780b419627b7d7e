import type { Fileset } from '../config/index.js';
import type { Recno } from '../model/ids.js';
import { formatPosition } from '../model/position.js';
import { pending } from '../replication/sender.js';
import {
  mayUpdate,
  newServer,
  stepServer,
  type ServerEffect,
  type ServerEvent,
  type ServerState,
} from '../replication/server.js';
import { E } from '../system/errno.js';
import type { Connection, Exchange } from '../wire/connection.js';
import { ProtocolError } from '../wire/errors.js';
import { Code, Kind } from '../wire/kinds.js';
import {
  decodeBatch,
  decodeFetch,
  decodeHello,
  decodePosition,
  decodeRecno,
  encodeBatch,
  encodeBatchReply,
  encodeGrant,
  encodeHello,
  encodeLeave,
  encodeReason,
  encodeRevocation,
  PROTOCOL_VERSION,
  type Batch,
} from '../wire/messages.js';
import { readBatchReply } from './batch-reply.js';
import { errorText } from './error-text.js';
import type { FilesetStatus, PeerStatus, SyncResult } from './fileset-status.js';
import type { LentoLog } from './log.js';
import { RecordSource } from './record-source.js';
import type { Replica } from './replica.js';
import { helloRefusal, ServerPeer } from './server-peer.js';
import { Waiters } from './waiters.js';

/** A fileset that this host serves and has mounted: carries out what the server machine decides. */
export class FilesetServer {
  #state: ServerState;
  readonly #source: RecordSource;
  readonly #peers = new Map<string, ServerPeer>();
  readonly #events: ServerEvent[] = [];
  readonly #waiters = new Waiters();
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #errors = new Map<string, string>();
  /** Peers that have left, until what they had sent is settled. */
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(
    private readonly self: string,
    private readonly config: Fileset,
    private readonly replica: Replica,
    private readonly log: LentoLog,
  ) {
    this.#source = new RecordSource(replica);
    this.#state = newServer(self, replica.end, performance.now());
    // The server holds the permit at first.
    this.#quietly(replica.setGate('held'), 'opening the gate');
  }

  get name(): string {
    return this.config.name;
  }

  /** presto has announced records up to `end`. */
  logGrew(end: Recno): void {
    this.replica.end = Math.max(this.replica.end, end);
    this.#dispatch({ type: 'log-grew', end });
  }

  wanted(): void {
    this.#dispatch({ type: 'want' });
  }

  #dispatch(event: ServerEvent): void {
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const [state, effects] = stepServer(this.#state, next, performance.now());
      this.log.trace({ fileset: this.name, event: next, effects }, 'step');
      this.#state = state;
      for (const effect of effects) this.#run(effect);
    }
    this.#running = false;
    this.#waiters.check();
  }

  #run(effect: ServerEffect): void {
    switch (effect.type) {
      case 'send-batch':
        this.#sendBatch(effect.peer, effect.from);
        return;
      case 'grant-self':
        this.#quietly(this.replica.setGate('held'), 'granting the permit here');
        return;
      case 'revoke-self':
        this.#quietly(this.#revokeSelf(), 'taking the permit from here');
        return;
      case 'grant': {
        const peer = this.#peers.get(effect.peer);
        const grant = encodeGrant({ generation: effect.generation, upto: effect.upto });
        for (const exchange of peer?.permits.splice(0) ?? []) exchange.reply(Code.ok, grant);
        return;
      }
      case 'revoke':
        this.#quietly(this.#revoke(effect.peer, effect.generation), 'taking the permit back');
        return;
      case 'drop-peer':
        this.#peers.get(effect.peer)?.connection.close(effect.reason);
        this.#leave(effect.peer, effect.reason);
        return;
      case 'acknowledged': {
        const peer = this.#peers.get(effect.peer);
        if (peer === undefined || effect.expected <= peer.acked) return;
        peer.acked = effect.expected;
        const noted = this.replica.acknowledged(peer.replica, effect.expected - 1);
        this.#quietly(noted, 'noting an acknowledgement');
        return;
      }
      case 'wake-at': {
        clearTimeout(this.#timer);
        const delay = Math.max(1, Math.ceil(effect.time - performance.now()));
        this.#timer = setTimeout(() => this.#dispatch({ type: 'tick' }), delay);
        return;
      }
    }
  }

  #quietly(work: Promise<unknown>, what: string): void {
    work.catch((error: unknown) => {
      this.log.debug({ fileset: this.name, error: errorText(error) }, `${what} failed`);
    });
  }

  async #revokeSelf(): Promise<void> {
    const end = await this.replica.setGate('absent');
    this.logGrew(end);
    this.#dispatch({ type: 'self-released', end });
  }

  async #revoke(name: string, generation: number): Promise<void> {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    const payload = encodeRevocation({ fileset: this.name, generation });
    const reply = await peer.connection.request(Kind.REVOKE, payload);
    if (reply.code !== Code.ok) return;
    this.#dispatch({ type: 'permit-released', peer: name, end: decodeRecno(reply.payload) });
  }

  #sendBatch(name: string, from: Recno): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    let batch: Batch;
    try {
      const acked = this.#state.peers.get(name)?.expected ?? 0;
      batch = this.#source.batch(from, peer.replica, acked);
    } catch (error) {
      this.#fail(peer, `the log cannot be read: ${errorText(error)}`);
      return;
    }
    this.#events.push({ type: 'batch-sent', peer: name, next: batch.next });
    this.#quietly(this.#awaitBatch(peer, batch), 'sending records');
  }

  async #awaitBatch(peer: ServerPeer, batch: Batch): Promise<void> {
    const reply = await peer.connection.request(Kind.RECORDS, encodeBatch(batch));
    if (this.#peers.get(peer.name) !== peer) return;
    const { expected, message } = readBatchReply(reply);
    if (reply.code !== Code.ok) {
      this.#fail(peer, message);
      return;
    }
    this.#dispatch({ type: 'batch-answered', peer: peer.name, expected });
  }

  /** Something does not flow to or from a peer: it leaves this fileset, and will say hello again. */
  #fail(peer: ServerPeer, message: string): void {
    this.#errors.set(peer.name, message);
    this.log.error({ fileset: this.name, peer: peer.name }, message);
    peer.connection.notify(Kind.LEAVE, encodeLeave({ fileset: this.name, reason: message }));
    this.#leave(peer.name, message);
  }

  /** The peer's connection is gone, or it has left this fileset. */
  left(connection: Connection, reason: string): void {
    for (const peer of this.#peers.values()) {
      if (peer.connection === connection) this.#leave(peer.name, reason);
    }
  }

  #leave(name: string, reason: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    this.#peers.delete(name);
    this.log.info({ fileset: this.name, peer: name, reason }, `${name} is disconnected: ${reason}`);
    // What it has sent may still be on its way to the tree; nobody else gets the permit before that is settled.
    const settled = peer.sink.idle().then(() => {
      if (this.#leaving.get(name) === settled) this.#leaving.delete(name);
      this.#dispatch({ type: 'peer-down', peer: name });
    });
    this.#leaving.set(name, settled);
  }

  /** A request of a connected host about this fileset. */
  async handle(
    name: string,
    connection: Connection,
    kind: number,
    payload: Buffer,
    exchange: Exchange,
  ): Promise<void> {
    if (kind === Kind.HELLO) {
      await this.#hello(name, connection, payload, exchange);
      return;
    }
    const peer = this.#peers.get(name);
    if (peer?.connection !== connection) {
      exchange.reply(E.ENOTCONN, encodeReason('say hello first'));
      return;
    }
    switch (kind) {
      case Kind.POSITION:
        this.#position(peer, payload, exchange);
        return;
      case Kind.RECORDS:
        await this.#records(peer, payload, exchange);
        return;
      case Kind.FETCH:
        await this.#source.serveFetch(decodeFetch(payload).recno, exchange);
        return;
      case Kind.PERMIT:
        peer.permits.push(exchange);
        this.#dispatch({ type: 'permit-request', peer: name });
        return;
      case Kind.BARRIER: {
        const { complete, absent } = await this.#everybodyHas(this.replica.end, name);
        exchange.reply(Code.ok, encodeReason(JSON.stringify({ complete, absent })));
        return;
      }
      default:
        exchange.reply(Code.unknown);
    }
  }

  async #hello(
    name: string,
    connection: Connection,
    payload: Buffer,
    exchange: Exchange,
  ): Promise<void> {
    const hello = decodeHello(payload);
    const known = [{ name: this.self, replica: this.replica.id }, ...this.#peers.values()];
    const refusal = helloRefusal(hello, name, this.self, known);
    if (refusal !== undefined) {
      exchange.reply(refusal.code, encodeReason(refusal.reason));
      return;
    }
    // An older connection of the same host is one that it has given up.
    this.#leave(name, 'it connected again');
    await this.#leaving.get(name);
    const { expected, checksum } = await this.replica.expected(hello.replica);
    this.#peers.set(name, new ServerPeer(name, hello.replica, connection, this.replica, expected));
    exchange.reply(
      Code.ok,
      encodeHello({
        version: PROTOCOL_VERSION,
        fileset: this.name,
        replica: this.replica.id,
        end: this.replica.end,
        expects: expected,
        checksum,
      }),
    );
  }

  /** The client says what it expects of our log: it must be a place in it. */
  #position(peer: ServerPeer, payload: Buffer, exchange: Exchange): void {
    const { expects, checksum } = decodePosition(payload);
    const fault = this.#misplaced(expects, checksum);
    if (fault !== undefined) {
      this.#errors.set(peer.name, fault);
      this.#leave(peer.name, fault);
      exchange.reply(E.EINVAL, encodeReason(fault));
      return;
    }
    this.#errors.delete(peer.name);
    exchange.reply(Code.ok);
    this.log.info({ fileset: this.name, peer: peer.name }, `${peer.name} is connected`);
    const { name, expected } = peer;
    peer.joined = true;
    this.#dispatch({ type: 'peer-up', peer: name, theirs: expects, ours: expected });
  }

  #misplaced(expects: Recno, checksum: number): string | undefined {
    const { end, reader } = this.replica;
    if (expects > end + 1) return 'it has seen records that this log does not have (any more)';
    if (expects === 1 || checksum === 0) return undefined;
    const position = reader.positionAt(expects - 1);
    return position?.checksum === checksum ? undefined : 'its history is not that of this log';
  }

  async #records(peer: ServerPeer, payload: Buffer, exchange: Exchange): Promise<void> {
    if (!mayUpdate(this.#state, peer.name)) {
      const message = encodeBatchReply({ expected: 0, message: 'it does not hold the permit' });
      exchange.reply(E.EPERM, message);
      return;
    }
    const outcome = await peer.sink.receive(decodeBatch(payload)).catch((error: unknown) => {
      if (error instanceof ProtocolError) throw error;
      return errorText(error);
    });
    if (typeof outcome === 'string') {
      this.#errors.set(peer.name, outcome);
      exchange.reply(Code.failed, encodeBatchReply({ expected: 0, message: outcome }));
      return;
    }
    const { expected, recno, reason, message } = outcome;
    this.replica.end = Math.max(this.replica.end, recno);
    if (reason === undefined) exchange.reply(Code.ok, encodeBatchReply({ expected, message }));
    else {
      this.#errors.set(peer.name, message);
      exchange.reply(Code.failed, encodeBatchReply({ expected, message }));
    }
    this.#dispatch({ type: 'applied', peer: peer.name, expected, end: recno });
  }

  /** Resolves when all connected replicators but `except` have record `recno`. */
  async #everybodyHas(recno: Recno, except: string | undefined): Promise<SyncResult> {
    const others = this.config.replicators.filter((host) => host !== except);
    const wanted = others.filter((host) => this.#state.peers.has(host));
    const has = (host: string) => (this.#state.peers.get(host)?.sender.acked ?? 0) > recno;
    await this.#waiters.until(() =>
      wanted.every((host) => has(host) || !this.#state.peers.has(host)),
    );
    const complete = wanted.filter(has);
    const absent = others.filter((host) => !complete.includes(host));
    return { fileset: this.name, recno, complete, absent };
  }

  /** The barrier of `izo sync`. */
  async sync(): Promise<SyncResult> {
    const end = await this.replica.currentEnd();
    this.logGrew(end);
    return this.#everybodyHas(end, undefined);
  }

  async status(): Promise<FilesetStatus> {
    const { permits } = this.#state;
    const presto = await this.replica.status();
    return {
      name: this.name,
      role: 'server',
      server: this.self,
      mounted: true,
      mountPoint: this.replica.hello.mountPoint,
      position: formatPosition({ log: this.replica.id, recno: this.replica.end, checksum: 0 }),
      permit: {
        holder: permits.holder === this.self ? 'self' : permits.holder,
        waiting: permits.waiting,
        generation: permits.generation,
      },
      link: 'server',
      peers: this.config.replicators.map((host) => this.#peerStatus(host)),
      presto,
      error: undefined,
    };
  }

  #peerStatus(name: string): PeerStatus {
    const peer = this.#state.peers.get(name);
    return {
      name,
      connected: peer !== undefined,
      pending: peer === undefined ? undefined : pending(peer.sender),
      expected: peer?.expected,
      since: this.#peers.get(name)?.since.toISOString(),
      error: this.#errors.get(name),
    };
  }

  /** The fileset is being unmounted, or lento ends. */
  close(reason: string): void {
    clearTimeout(this.#timer);
    for (const peer of this.#peers.values()) {
      peer.connection.notify(Kind.LEAVE, encodeLeave({ fileset: this.name, reason }));
    }
    this.#peers.clear();
    this.#waiters.fail(new Error(reason));
  }
}
