import type { Fileset } from '../../config/index.js';
import type { Recno, ReplicaId } from '../../model/ids.js';
import { newClient, stepClient, type ClientEffect } from '../../replication/client.js';
import { E } from '../../system/errno.js';
import type { Connection, Exchange } from '../../wire/connection.js';
import { Code, Kind } from '../../wire/kinds.js';
import {
  decodeFetch,
  decodeLeave,
  decodeReason,
  encodeAddress,
  encodeReason,
  readSession,
} from '../../wire/messages.js';
import type { ClientContext, ClientMachine } from './context.js';
import { ClientLink } from './link.js';
import { ClientPermits } from './permits.js';
import { clientStatus } from './status.js';
import { ClientStream } from './stream.js';
import type { FilesetStatus, SyncResult } from '../status/fileset-status.js';
import type { LentoLog } from '../log.js';
import { LogKeeper } from '../log-keeper.js';
import { Machine } from '../machine.js';
import { RecordSource } from '../records/record-source.js';
import { ClientResync } from '../resync/client-resync.js';
import type { Replica } from '../replica.js';
import { ClientVerify } from '../verify/client-verify.js';
import type { VerifyRequest, VerifyStep } from '../verify/verifier.js';

/** A fileset that this host replicates and has mounted: carries out what the client machine decides. */
export class FilesetClient {
  readonly #context: ClientContext;
  readonly #machine: ClientMachine;
  readonly #source: RecordSource;
  readonly #link: ClientLink;
  readonly #permits: ClientPermits;
  readonly #stream: ClientStream;
  readonly #resync: ClientResync;
  readonly #verify: ClientVerify;

  constructor(
    private readonly self: string,
    private config: Fileset,
    private readonly replica: Replica,
    log: LentoLog,
    onSynced: () => void,
  ) {
    const machine: ClientMachine = new Machine({
      fileset: config.name,
      state: newClient(replica.end, 1),
      step: stepClient,
      run: (effect) => this.#run(effect),
      log,
    });
    const { servername: server, conflicts: policy } = config;
    const merging = { hosts: { client: self, server }, policy };
    const keeper = new LogKeeper({
      replica,
      receivers: () => [server],
      limits: () => this.config,
      givesUp: false,
      log,
    });
    const context = { server, replica, machine, log, keeper, merging, onSynced };
    this.#context = context;
    this.#machine = machine;
    this.#source = new RecordSource(replica);
    this.#link = new ClientLink(context, {
      forget: () => {
        this.#permits.forget();
        this.#stream.forget();
      },
      idle: async () => {
        await this.#stream.idle();
        await this.#resync.idle();
      },
    });
    this.#resync = new ClientResync(context, this.#link);
    this.#permits = new ClientPermits(context, this.#link);
    this.#stream = new ClientStream(context, this.#link, this.#source);
    this.#verify = new ClientVerify(context, this.#link, () => this.sync());
    this.#permits.setGate('disconnected');
  }

  get name(): string {
    return this.config.name;
  }

  get server(): string {
    return this.config.servername;
  }

  /** presto has announced records up to `end`. */
  logGrew(end: Recno): void {
    this.replica.announced(end);
    this.#machine.dispatch({ type: 'log-grew', end });
  }

  wanted(): void {
    this.#machine.dispatch({ type: 'want' });
  }

  /** There is a connection to the server. */
  connected(connection: Connection): void {
    this.#link.connected(connection);
  }

  disconnected(reason: string): void {
    this.#link.disconnected(reason);
  }

  #run(effect: ClientEffect): void {
    switch (effect.type) {
      case 'say-hello':
        this.#link.greet();
        return;
      case 'gate':
        this.#permits.setGate(effect.state);
        return;
      case 'ask-permit':
        this.#permits.ask();
        return;
      case 'answer-revoke':
        this.#permits.answerRevoke(effect.end);
        return;
      case 'send-batch':
        this.#stream.sendBatch(effect.from);
        return;
      case 'apply-batch':
        this.#stream.apply();
        return;
      case 'refuse-batch':
        this.#stream.refuse();
        return;
      case 'hold-batch':
        this.#stream.hold();
        return;
      case 'merge':
        this.#stream.merge();
        return;
      case 'fetch-tree':
        this.#resync.fetchTree();
        return;
      case 'take-tree':
        this.#resync.takeTree();
        return;
      case 'acknowledged':
        this.#stream.acknowledged(effect.expected);
        return;
    }
  }

  /** A request of the server about this fileset. */
  async handle(kind: number, payload: Buffer, exchange: Exchange): Promise<void> {
    if (readSession(payload) !== this.#link.address.session) {
      exchange.reply(E.ENOTCONN, encodeReason('an old session'));
      return;
    }
    switch (kind) {
      case Kind.RECORDS:
        await this.#stream.received(payload, exchange);
        return;
      case Kind.FETCH:
        await this.#source.serveFetch(decodeFetch(payload), exchange, this.#link.flow);
        return;
      case Kind.DIGEST:
        await this.#verify.answer(this.self, payload, exchange);
        return;
      case Kind.REVOKE:
        this.#permits.revoked(payload, exchange);
        return;
      case Kind.LEAVE:
        this.#link.dismissed(decodeLeave(payload).reason);
        return;
      default:
        exchange.reply(Code.unknown, encodeReason('a client does not answer that'));
    }
  }

  /** The barrier of `izo sync`: first the server has our records, then every replicator that it reaches. */
  async sync(): Promise<SyncResult> {
    const recno = await this.replica.currentEnd();
    this.logGrew(recno);
    await this.#serverHas(recno);
    const { connection } = this.#link;
    if (!this.#sent(recno) || connection === undefined) throw new Error(this.#whyNot());
    const reply = await connection.request(Kind.BARRIER, encodeAddress(this.#link.address));
    if (reply.code !== Code.ok) throw new Error(decodeReason(reply.payload));
    const others = JSON.parse(decodeReason(reply.payload)) as {
      complete: string[];
      absent: string[];
    };
    return {
      fileset: this.name,
      recno,
      complete: [this.server, ...others.complete],
      absent: others.absent,
    };
  }

  /** Whose log is which, as far as that is known here. */
  get logs(): readonly (readonly [ReplicaId, string])[] {
    const own = [this.replica.id, this.self] as const;
    return this.#link.server === 0 ? [own] : [own, [this.#link.server, this.server]];
  }

  /** Who can be compared with, the server first. */
  get others(): readonly string[] {
    const { servername, replicators } = this.config;
    return [servername, ...replicators.filter((host) => host !== this.self)];
  }

  /** A piece of the comparison with the server, or by way of it with another replicator. @throws IzoError not-connected */
  verify(host: string, request: VerifyRequest): Promise<VerifyStep> {
    return this.#verify.step(host, request);
  }

  #whyNot(): string {
    const { error } = this.#link;
    const why = error === undefined ? '' : `: ${error}`;
    return `not connected to ${this.server}${why}`;
  }

  #sent(recno: Recno): boolean {
    return (this.#machine.state.sender?.acked ?? 0) > recno;
  }

  /** Resolves when the server has our record `recno`, or cannot be reached. */
  async #serverHas(recno: Recno): Promise<void> {
    await this.#machine.until(() => this.#machine.state.link !== 'up' || this.#sent(recno));
  }

  /** Resolves when the server has everything that is logged here, or cannot be reached. */
  async drained(): Promise<void> {
    await this.#serverHas(this.#machine.state.end);
  }

  /** Sends what programs have done so far. @returns what keeps it from the server, if something does */
  async drain(): Promise<string | undefined> {
    const recno = await this.replica.currentEnd();
    this.logGrew(recno);
    await this.#serverHas(recno);
    return this.#sent(recno) ? undefined : this.#whyNot();
  }

  /** The same fileset: what makes it another one begins anew. */
  reconfigure(fileset: Fileset): void {
    this.config = fileset;
  }

  get summary(): string {
    const { link } = this.#machine.state;
    const how = this.#link.isDiverged ? 'DIVERGED' : link === 'up' ? 'connected' : 'NOT CONNECTED';
    return `replicated from ${this.server}, ${how}`;
  }

  status(): Promise<FilesetStatus> {
    return clientStatus(this.#context, this.#link, this.#resync.status);
  }

  /** The fileset is being unmounted, or lento ends. */
  close(reason: string): void {
    this.#context.keeper.close();
    this.#link.close(reason);
    this.#machine.close(reason);
  }
}
