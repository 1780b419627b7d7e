import type { Fileset } from '../config/index.js';
import type { Recno, ReplicaId } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { formatPosition } from '../model/position.js';
import {
  newClient,
  stepClient,
  type ClientEffect,
  type ClientEvent,
  type ClientState,
} from '../replication/client.js';
import { pending } from '../replication/sender.js';
import { E } from '../system/errno.js';
import type { Connection, Exchange } from '../wire/connection.js';
import { Code, Kind } from '../wire/kinds.js';
import {
  decodeBatch,
  decodeFetch,
  decodeGrant,
  decodeLeave,
  decodeReason,
  decodeRevocation,
  encodeBatch,
  encodeBatchReply,
  encodeFetch,
  encodeFileset,
  encodeLeave,
  encodeReason,
  encodeRecno,
  type Batch,
} from '../wire/messages.js';
import { readBatchReply } from './batch-reply.js';
import { errorText } from './error-text.js';
import type { FilesetStatus, SyncResult } from './fileset-status.js';
import { greet, type Greeting } from './greeting.js';
import type { LentoLog } from './log.js';
import { RecordSink } from './record-sink.js';
import { RecordSource } from './record-source.js';
import type { Replica } from './replica.js';
import { Waiters } from './waiters.js';

/** A batch that the machine has yet to judge, and its exchange. */
interface BatchInHand {
  readonly batch: Batch;
  readonly exchange: Exchange;
}

/** A fileset that this host replicates and has mounted: carries out what the client machine decides. */
export class FilesetClient {
  #state: ClientState;
  readonly #source: RecordSource;
  readonly #events: ClientEvent[] = [];
  readonly #waiters = new Waiters();
  #running = false;
  #connection: Connection | undefined;
  /** Records that come on the heels of the greeting's last answer wait for it to be dealt with. */
  #greeting: Promise<void> = Promise.resolve();
  /** The server's log, known since the greeting. */
  #server: ReplicaId = 0;
  #sink: RecordSink | undefined;
  #inHand: BatchInHand | undefined;
  /** REVOKE requests to be answered when presto has stopped. */
  #revocations: Exchange[] = [];
  #retry: NodeJS.Timeout | undefined;
  #retryMs: number = LIMITS.reconnectFirstMs;
  #linkSince = new Date();
  #error: string | undefined;

  constructor(
    private readonly config: Fileset,
    private readonly replica: Replica,
    private readonly log: LentoLog,
    /** Notes that the fileset is in sync with its server. */
    private readonly onSynced: () => void,
  ) {
    this.#source = new RecordSource(replica);
    this.#state = newClient(replica.end, 1);
    this.#quietly(replica.setGate('disconnected'), 'opening the gate');
  }

  get name(): string {
    return this.config.name;
  }

  get server(): string {
    return this.config.servername;
  }

  logGrew(end: Recno): void {
    this.replica.end = Math.max(this.replica.end, end);
    this.#dispatch({ type: 'log-grew', end });
  }

  wanted(): void {
    this.#dispatch({ type: 'want' });
  }

  /** There is a connection to the server. */
  connected(connection: Connection): void {
    if (this.#connection !== undefined) this.disconnected('connected again');
    this.#connection = connection;
    this.#dispatch({ type: 'link-up' });
  }

  disconnected(reason: string): void {
    clearTimeout(this.#retry);
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#lose(reason);
  }

  #lose(reason: string): void {
    this.log.info({ fileset: this.name }, `disconnected from ${this.server}: ${reason}`);
    this.#linkSince = new Date();
    this.#revocations = [];
    this.#sink?.abandon(reason);
    this.#error = reason;
    this.#dispatch({ type: 'link-down' });
  }

  #dispatch(event: ClientEvent): void {
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const [state, effects] = stepClient(this.#state, next);
      this.log.trace({ fileset: this.name, event: next, effects }, 'step');
      this.#state = state;
      for (const effect of effects) this.#run(effect);
    }
    this.#running = false;
    this.#waiters.check();
  }

  #run(effect: ClientEffect): void {
    switch (effect.type) {
      case 'gate':
        this.#quietly(this.#setGate(effect.state), 'setting the gate');
        return;
      case 'say-hello':
        this.#greeting = this.#greet();
        this.#quietly(this.#greeting, 'greeting');
        return;
      case 'ask-permit':
        this.#quietly(this.#askPermit(), 'asking for the permit');
        return;
      case 'answer-revoke':
        for (const exchange of this.#revocations.splice(0)) {
          exchange.reply(Code.ok, encodeRecno(effect.end));
        }
        return;
      case 'send-batch':
        this.#sendBatch(effect.from);
        return;
      case 'apply-batch':
        this.#takeInHand((inHand) => this.#quietly(this.#apply(inHand), 'applying records'));
        return;
      case 'refuse-batch':
        this.#takeInHand((inHand) => this.#refuse(inHand, effect.conflict));
        return;
      case 'acknowledged': {
        const noted = this.replica.acknowledged(this.#server, effect.expected - 1);
        this.#quietly(noted, 'noting an acknowledgement');
        return;
      }
    }
  }

  #quietly(work: Promise<unknown>, what: string): void {
    work.catch((error: unknown) => {
      this.log.debug({ fileset: this.name, error: errorText(error) }, `${what} failed`);
    });
  }

  async #setGate(state: 'disconnected' | 'absent' | 'held'): Promise<void> {
    const end = await this.replica.setGate(state);
    this.replica.end = Math.max(this.replica.end, end);
    if (state === 'absent') this.#dispatch({ type: 'presto-released', end });
    if (state === 'held') this.onSynced();
  }

  async #greet(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    // What an earlier connection brought must be in the tree, or counted as never come, before positions are told.
    await this.#sink?.idle();
    const result = await greet(connection, this.name, this.replica);
    if (connection !== this.#connection) return;
    if (typeof result === 'string') {
      this.#failed(result);
      return;
    }
    this.#greeted(connection, result);
  }

  #greeted(connection: Connection, { server, theirs, expected }: Greeting): void {
    const { replica, name: fileset } = this;
    this.#server = server;
    this.#sink = new RecordSink(replica, server, false, (recno) =>
      connection.fetch(Kind.FETCH, encodeFetch({ fileset, recno })),
    );
    this.#linkSince = new Date();
    this.#error = undefined;
    this.log.info({ fileset }, `connected to ${this.server}`);
    this.#dispatch({ type: 'applied', expected });
    this.#dispatch({ type: 'hello', theirs });
    if (this.#state.link === 'diverged') this.#error = LOST_RECORDS;
    else this.onSynced();
  }

  /** The link is there but the fileset cannot use it: it goes on as disconnected and tries again later. */
  #failed(reason: string): void {
    // A greeting alone proves nothing: what cannot be taken, on a full disk, fails right after it, again and again.
    const lasted = Date.now() - this.#linkSince.getTime() > LIMITS.reconnectLongestMs;
    if (this.#state.link === 'up' && lasted) this.#retryMs = LIMITS.reconnectFirstMs;
    this.#lose(reason);
    const connection = this.#connection;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (connection !== undefined && connection === this.#connection) {
        this.#dispatch({ type: 'link-up' });
      }
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LIMITS.reconnectLongestMs);
  }

  async #askPermit(): Promise<void> {
    const connection = this.#connection;
    const reply = await connection?.request(Kind.PERMIT, encodeFileset(this.name));
    if (reply?.code !== Code.ok || connection !== this.#connection) return;
    this.#dispatch({ type: 'granted', ...decodeGrant(reply.payload) });
  }

  #sendBatch(from: Recno): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    let batch: Batch;
    try {
      batch = this.#source.batch(from, this.#server, this.#state.expected);
    } catch (error) {
      this.#failed(`the log cannot be read: ${errorText(error)}`);
      return;
    }
    this.#events.push({ type: 'batch-sent', next: batch.next });
    this.#quietly(this.#awaitBatch(connection, batch), 'sending records');
  }

  async #awaitBatch(connection: Connection, batch: Batch): Promise<void> {
    const reply = await connection.request(Kind.RECORDS, encodeBatch(batch));
    if (connection !== this.#connection) return;
    const { expected, message } = readBatchReply(reply);
    if (reply.code !== Code.ok) this.#failed(`${this.server} cannot take our records: ${message}`);
    else this.#dispatch({ type: 'batch-answered', expected });
  }

  #takeInHand(use: (inHand: BatchInHand) => void): void {
    const inHand = this.#inHand;
    this.#inHand = undefined;
    if (inHand !== undefined) use(inHand);
  }

  async #apply({ batch, exchange }: BatchInHand): Promise<void> {
    const sink = this.#sink;
    if (sink === undefined) return;
    const outcome = await sink.receive(batch).catch((error: unknown) => errorText(error));
    if (typeof outcome === 'string') {
      // Unanswered, it would count as being on its way for ever. The server lets us go, and we say hello again later.
      const { expected } = this.#state;
      exchange.reply(Code.failed, encodeBatchReply({ expected, message: outcome }));
      return;
    }
    const { expected, reason, message } = outcome;
    const reply = encodeBatchReply({ expected, message });
    this.#dispatch({ type: 'applied', expected });
    exchange.reply(reason === undefined ? Code.ok : Code.failed, reply);
    if (reason !== undefined) this.#error = message;
  }

  #refuse({ exchange }: BatchInHand, conflict: boolean): void {
    if (conflict) {
      this.#error = BOTH_SIDES;
      this.log.error({ fileset: this.name }, BOTH_SIDES);
    }
    const message = this.#error ?? 'it is not connected';
    exchange.reply(E.EBUSY, encodeBatchReply({ expected: this.#state.expected, message }));
  }

  /** A request of the server about this fileset. */
  async handle(kind: number, payload: Buffer, exchange: Exchange): Promise<void> {
    switch (kind) {
      case Kind.RECORDS: {
        const batch = decodeBatch(payload);
        await this.#greeting.catch(() => undefined);
        this.#inHand = { batch, exchange };
        this.#dispatch({ type: 'batch', acked: batch.acked, updates: batch.items.length > 0 });
        return;
      }
      case Kind.FETCH:
        await this.#source.serveFetch(decodeFetch(payload).recno, exchange);
        return;
      case Kind.REVOKE:
        this.#revocations.push(exchange);
        this.#dispatch({ type: 'revoked', generation: decodeRevocation(payload).generation });
        return;
      case Kind.LEAVE:
        this.#failed(decodeLeave(payload).reason);
        return;
      default:
        exchange.reply(Code.unknown, encodeReason('a client does not answer that'));
    }
  }

  /** The barrier of `izo sync`: first the server has our records, then every replicator that it reaches. */
  async sync(): Promise<SyncResult> {
    const recno = await this.replica.currentEnd();
    this.logGrew(recno);
    const missing = () => this.#state.sender === undefined || this.#state.sender.acked <= recno;
    await this.#waiters.until(() => this.#state.link !== 'up' || !missing());
    const connection = this.#connection;
    if (missing() || connection === undefined) throw new Error(this.#whyNot());
    const reply = await connection.request(Kind.BARRIER, encodeFileset(this.name));
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

  #whyNot(): string {
    const why = this.#error === undefined ? '' : `: ${this.#error}`;
    return `not connected to ${this.server}${why}`;
  }

  async status(): Promise<FilesetStatus> {
    const { permit, sender, link, expected } = this.#state;
    const presto = await this.replica.status();
    return {
      name: this.name,
      role: 'client',
      server: this.server,
      mounted: true,
      mountPoint: this.replica.hello.mountPoint,
      position: formatPosition({ log: this.replica.id, recno: this.replica.end, checksum: 0 }),
      permit: {
        holder: permit.type === 'held' ? 'self' : undefined,
        waiting: permit.type === 'asked' || permit.type === 'granted' ? ['self'] : [],
        generation: permit.type === 'held' ? permit.generation : undefined,
      },
      link,
      peers: [
        {
          name: this.server,
          connected: link === 'up',
          pending: sender === undefined ? undefined : pending(sender),
          expected,
          since: this.#linkSince.toISOString(),
          error: this.#error,
        },
      ],
      presto,
      error: this.#error,
    };
  }

  /** Resolves when the server has everything that is logged here, or cannot be reached. */
  async drained(): Promise<void> {
    const { end } = this.#state;
    await this.#waiters.until(
      () => this.#state.link !== 'up' || (this.#state.sender?.acked ?? 0) > end,
    );
  }

  /** The fileset is being unmounted, or lento ends. */
  close(reason: string): void {
    clearTimeout(this.#retry);
    // Or the server would wait for this host to give the permit back.
    this.#connection?.notify(Kind.LEAVE, encodeLeave({ fileset: this.name, reason }));
    this.#connection = undefined;
    this.#waiters.fail(new Error(reason));
  }
}

const BOTH_SIDES =
  'both this host and the server were changed while they were disconnected; nothing was merged and nothing is lost';
const LOST_RECORDS =
  'the server has records of this replica that its log does not have: was the cache restored from a backup?';
