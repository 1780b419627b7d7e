import type { ReplicaId } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import type { Connection } from '../wire/connection.js';
import { Kind } from '../wire/kinds.js';
import { encodeFetch, encodeLeave, type Address } from '../wire/messages.js';
import type { ClientContext } from './client-context.js';
import { greet, type Greeting } from './greeting.js';
import { RecordSink } from './record-sink.js';

const LOST_RECORDS =
  'the server has records of this replica that its log does not have: was the cache restored from a backup?';

/** A fileset's use of the connection to its server: from the greeting on, until either of them has enough of it. */
export class ClientLink {
  #connection: Connection | undefined;
  /** Records that come on the heels of the greeting's last answer wait for it to be dealt with. */
  #greeting: Promise<void> = Promise.resolve();
  /** Grows with each hello. It begins with the clock, so that a server need not tell what an earlier lento had. */
  #session = Date.now();
  #server: ReplicaId = 0;
  #sink: RecordSink | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs: number = LIMITS.reconnectFirstMs;
  #since = new Date();
  /** Why the fileset is not connected, or why records do not flow. */
  error: string | undefined;

  constructor(
    private readonly context: ClientContext,
    /** What came over the link and waits for an answer is forgotten. */
    private readonly onLost: () => void,
  ) {}

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Of the session at hand, or the last one. */
  get address(): Address {
    return { fileset: this.context.replica.fileset, session: this.#session };
  }

  /** The server's log, known since the greeting. */
  get server(): ReplicaId {
    return this.#server;
  }

  get sink(): RecordSink | undefined {
    return this.#sink;
  }

  /** Connected, or not connected, since then. */
  get since(): Date {
    return this.#since;
  }

  connected(connection: Connection): void {
    if (this.#connection !== undefined) this.disconnected('connected again');
    this.#connection = connection;
    this.context.machine.dispatch({ type: 'link-up' });
  }

  disconnected(reason: string): void {
    clearTimeout(this.#retry);
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#lose(reason);
  }

  #lose(reason: string): void {
    const { log, machine, replica, server } = this.context;
    log.info({ fileset: replica.fileset }, `disconnected from ${server}: ${reason}`);
    this.#since = new Date();
    this.onLost();
    this.#sink?.abandon(reason);
    this.error = reason;
    machine.dispatch({ type: 'link-down' });
  }

  /** The connection is there but the fileset cannot use it: it goes on as disconnected and tries again later. */
  failed(reason: string): void {
    const { machine } = this.context;
    // A greeting alone proves nothing: what cannot be taken, on a full disk, fails right after it, again and again.
    const lasted = Date.now() - this.#since.getTime() > LIMITS.reconnectLongestMs;
    if (machine.state.link === 'up' && lasted) this.#retryMs = LIMITS.reconnectFirstMs;
    this.#lose(reason);
    const connection = this.#connection;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (connection !== undefined && connection === this.#connection) {
        machine.dispatch({ type: 'link-up' });
      }
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LIMITS.reconnectLongestMs);
  }

  greet(): void {
    this.#session++;
    this.#greeting = this.#greet();
    this.context.machine.background(this.#greeting, 'greeting');
  }

  /** Resolves when the greeting is over, however it went. */
  async greeted(): Promise<void> {
    await this.#greeting.catch(() => undefined);
  }

  async #greet(): Promise<void> {
    const connection = this.#connection;
    const { address } = this;
    if (connection === undefined) return;
    // What an earlier connection brought must be in the tree, or counted as never come, before positions are told.
    await this.#sink?.idle();
    const result = await greet(connection, address, this.context.replica);
    if (connection !== this.#connection || address.session !== this.#session) return;
    if (typeof result === 'string') this.failed(result);
    else if ('later' in result) {
      this.#session = Math.max(this.#session, result.later);
      this.failed('the clock of this host has been set back');
    } else this.#begin(connection, result);
  }

  #begin(connection: Connection, { server, theirs, expected }: Greeting): void {
    const { machine, replica, log, onSynced } = this.context;
    const { fileset } = replica;
    this.#server = server;
    const { address } = this;
    this.#sink = new RecordSink({
      replica,
      peer: server,
      expected,
      log: false,
      fetch: (recno) => connection.fetch(Kind.FETCH, encodeFetch({ ...address, recno })),
    });
    this.#since = new Date();
    this.error = undefined;
    log.info({ fileset }, `connected to ${this.context.server}`);
    machine.dispatch({ type: 'applied', expected });
    machine.dispatch({ type: 'hello', theirs });
    if (machine.state.link === 'diverged') this.error = LOST_RECORDS;
    else onSynced();
  }

  close(reason: string): void {
    clearTimeout(this.#retry);
    // Or the server would wait for this host to give the permit back.
    this.#connection?.notify(Kind.LEAVE, encodeLeave({ ...this.address, reason }));
    this.#connection = undefined;
  }
}
