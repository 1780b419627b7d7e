import type { Fileset } from '../../config/index.js';
import type { Recno, ReplicaId } from '../../model/ids.js';
import { newServer, stepServer, type ServerEffect } from '../../replication/server.js';
import { E } from '../../system/errno.js';
import type { Connection, Exchange } from '../../wire/connection.js';
import { Code, Kind } from '../../wire/kinds.js';
import { decodeFetch, decodeLeave, encodeReason, readSession } from '../../wire/messages.js';
import type { FilesetStatus, SyncResult } from '../status/fileset-status.js';
import type { LentoLog } from '../log.js';
import { LogKeeper } from '../log-keeper.js';
import { Machine } from '../machine.js';
import { RecordSource } from '../records/record-source.js';
import { serveContents, serveWalk } from '../resync/tree-source.js';
import { serveObject } from '../merging/object-source.js';
import type { Replica } from '../replica.js';
import type { ServerContext, ServerMachine } from './context.js';
import { answerHello, answerPosition } from './greeting.js';
import { ServerPeers } from './peers.js';
import { ServerPermits } from './permits.js';
import { serverStatus } from './status.js';
import { ServerStream } from './stream.js';
import { ServerVerify } from '../verify/server-verify.js';
import type { VerifyRequest, VerifyStep } from '../verify/verifier.js';

/** A fileset that this host serves and has mounted: carries out what the server machine decides. */
export class FilesetServer {
  readonly #context: ServerContext;
  readonly #machine: ServerMachine;
  readonly #peers: ServerPeers;
  readonly #source: RecordSource;
  readonly #permits: ServerPermits;
  readonly #stream: ServerStream;
  readonly #verify: ServerVerify;

  constructor(
    self: string,
    private config: Fileset,
    private readonly replica: Replica,
    log: LentoLog,
  ) {
    const machine: ServerMachine = new Machine({
      fileset: config.name,
      state: newServer(self, replica.end, performance.now()),
      step: (state, event) => stepServer(state, event, performance.now()),
      run: (effect) => this.#run(effect),
      log,
    });
    const peers = new ServerPeers(config.name, log, (peer) =>
      machine.dispatch({ type: 'peer-down', peer }),
    );
    const source = new RecordSource(replica);
    const keeper = new LogKeeper({
      replica,
      receivers: () => this.config.replicators,
      limits: () => this.config,
      givesUp: true,
      log,
    });
    const context = { self, replica, machine, peers, source, log, keeper };
    this.#context = context;
    this.#machine = machine;
    this.#peers = peers;
    this.#source = source;
    this.#permits = new ServerPermits(context);
    this.#stream = new ServerStream(context);
    this.#verify = new ServerVerify(context, () => this.sync());
    // The server holds the permit at first.
    this.#permits.grantSelf();
  }

  get name(): string {
    return this.config.name;
  }

  /** presto has announced records up to `end`. */
  logGrew(end: Recno): void {
    this.replica.announced(end);
    this.#machine.dispatch({ type: 'log-grew', end });
  }

  wanted(): void {
    this.#machine.dispatch({ type: 'want' });
  }

  #run(effect: ServerEffect): void {
    switch (effect.type) {
      case 'send-batch':
        this.#stream.sendBatch(effect.peer, effect.from);
        return;
      case 'acknowledged':
        this.#stream.acknowledged(effect.peer, effect.expected);
        return;
      case 'grant-self':
        this.#permits.grantSelf();
        return;
      case 'revoke-self':
        this.#permits.revokeSelf();
        return;
      case 'grant':
        this.#permits.grant(effect);
        return;
      case 'revoke':
        this.#permits.revoke(effect);
        return;
      case 'drop-peer':
        this.#peers.get(effect.peer)?.connection.close(effect.reason);
        this.#peers.leave(effect.peer, effect.reason);
        return;
      case 'wake-at':
        this.#machine.wakeAt(effect.time, { type: 'tick' });
        return;
    }
  }

  /** A connection is gone. */
  lost(connection: Connection, reason: string): void {
    this.#peers.lost(connection, reason);
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
      await answerHello(this.#context, name, connection, payload, exchange);
      return;
    }
    const peer = this.#peers.get(name);
    if (peer?.connection !== connection || peer.address.session !== readSession(payload)) {
      exchange.reply(E.ENOTCONN, encodeReason('say hello first'));
      return;
    }
    const flow = this.#peers.flow(name);
    switch (kind) {
      case Kind.POSITION:
        answerPosition(this.#context, peer, payload, exchange);
        return;
      case Kind.RECORDS:
        await this.#stream.receive(peer, payload, exchange);
        return;
      case Kind.FETCH:
        await this.#source.serveFetch(decodeFetch(payload), exchange, flow, () => this.#busy(name));
        return;
      case Kind.OBJECT:
        await serveObject(this.replica, payload, exchange, flow, () => this.#busy(name));
        return;
      case Kind.DIGEST:
        await this.#verify.answer(payload, exchange);
        return;
      case Kind.WALK:
        await serveWalk(this.replica, payload, exchange, () => this.#busy(name));
        return;
      case Kind.CONTENTS:
        await serveContents(this.replica, payload, exchange, () => this.#busy(name));
        return;
      case Kind.PERMIT:
        this.#permits.requested(peer, exchange);
        return;
      case Kind.LEAVE:
        this.#peers.gone(peer, decodeLeave(payload).reason);
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

  /** It gets what it needs for a merge or for the whole tree: a permit that others want it gives back when that is done. */
  #busy(peer: string): void {
    this.#machine.dispatch({ type: 'peer-busy', peer });
  }

  /** Resolves when all connected replicators but `except` have record `recno`. */
  async #everybodyHas(recno: Recno, except: string | undefined): Promise<SyncResult> {
    const machine = this.#machine;
    const others = this.config.replicators.filter((host) => host !== except);
    const wanted = others.filter((host) => machine.state.peers.has(host));
    const has = (host: string) => (machine.state.peers.get(host)?.sender.acked ?? 0) > recno;
    await machine.until(() => wanted.every((host) => has(host) || !machine.state.peers.has(host)));
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

  /** Whose log is which, as far as that is known here. */
  get logs(): readonly (readonly [ReplicaId, string])[] {
    const { self } = this.#context;
    const peers = [...this.#peers].map(({ replica, name }) => [replica, name] as const);
    return [[this.replica.id, self], ...peers];
  }

  /** Who can be compared with. */
  get others(): readonly string[] {
    return this.config.replicators;
  }

  /** A piece of the comparison with a replicator. @throws IzoError not-connected */
  verify(host: string, request: VerifyRequest): Promise<VerifyStep> {
    return this.#verify.step(host, request);
  }

  /** Sends what was done so far. @returns who does not get it, if somebody does not */
  async drain(): Promise<string | undefined> {
    const { absent } = await this.sync();
    return absent.length === 0 ? undefined : `not connected: ${absent.join(', ')}`;
  }

  /** The same fileset with other replicators: who is none any more leaves. */
  reconfigure(fileset: Fileset): void {
    this.config = fileset;
    for (const { name } of [...this.#peers]) {
      if (!fileset.replicators.includes(name)) {
        this.#peers.dismiss(name, `${name} replicates ${fileset.name} no more`);
      }
    }
  }

  get summary(): string {
    const connected = this.#machine.state.peers.size;
    return `served, ${connected} of ${this.config.replicators.length} replicators connected`;
  }

  status(): Promise<FilesetStatus> {
    return serverStatus(this.#context, this.config.replicators);
  }

  /** The fileset is being unmounted, or lento ends. */
  close(reason: string): void {
    this.#context.keeper.close();
    this.#peers.close(reason);
    this.#machine.close(reason);
  }
}
