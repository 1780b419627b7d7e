import type { Recno, ReplicaId } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { Backoff } from '../../replication/backoff.js';
import type { Connection } from '../../wire/connection.js';
import { ConnectionLost } from '../../wire/errors.js';
import { Kind } from '../../wire/kinds.js';
import { encodeFetch, encodeLeave, type Address } from '../../wire/messages.js';
import type { ClientContext } from './context.js';
import { errorText } from '../error-text.js';
import { Flow } from '../status/flow.js';
import { greet, type Greeting, type Met } from '../greeting.js';
import { PeerBacklog } from '../records/peer-backlog.js';
import { RecordSink } from '../records/record-sink.js';
import { removeLeftovers } from '../contents/stage-leftovers.js';

export interface LinkUsers {
  /** What came over the link and waits for an answer is forgotten. */
  forget(): void;
  /** Resolves when nothing that came over it is being carried out any more. */
  idle(): Promise<void>;
}

/** A fileset's use of the connection to its server: from the greeting on, until either of them has enough of it. */
export class ClientLink {
  #connection: Connection | undefined;
  /** Records that come on the heels of the greeting's last answer wait for it to be dealt with. */
  #greeting: Promise<void> = Promise.resolve();
  /** Grows with each hello. It begins with the clock, so that a server need not tell what an earlier lento had. */
  #session = Date.now();
  #server: ReplicaId = 0;
  #theirs: Recno = 1;
  #sink: RecordSink | undefined;
  #backlog: PeerBacklog | undefined;
  #retry: NodeJS.Timeout | undefined;
  readonly #backoff = new Backoff(
    LIMITS.reconnectFirstMs,
    LIMITS.reconnectLongestMs,
    0,
    Math.random,
  );
  readonly #patience = new Backoff(
    LIMITS.divergedFirstMs,
    LIMITS.divergedLongestMs,
    0.5,
    Math.random,
  );
  /** Why the logs do not go together, until a greeting finds that they do. */
  #divergence: string | undefined;
  #since = new Date();
  readonly flow = new Flow();
  /** Why the fileset is not connected, or why records do not flow. */
  error: string | undefined;

  constructor(
    private readonly context: ClientContext,
    /** What hangs on the link. */
    private readonly users: LinkUsers,
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

  /** The first of our records that the server does not have, as it said in the greeting. */
  get theirs(): Recno {
    return this.#theirs;
  }

  get sink(): RecordSink | undefined {
    return this.#sink;
  }

  /** What the server gets of our log; undefined while they are not connected. */
  get backlog(): PeerBacklog | undefined {
    return this.#backlog;
  }

  /** While the logs do not go together: also between the attempts to find out whether they do. */
  get isDiverged(): boolean {
    return this.#divergence !== undefined;
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
    this.users.forget();
    this.#backlog = undefined;
    this.#sink?.abandon(reason);
    this.error = this.#divergence ?? reason;
    machine.dispatch({ type: 'link-down' });
  }

  /** The connection is there but the fileset cannot use it: it goes on as disconnected and tries again later. */
  failed(reason: string): void {
    const { address } = this;
    // Others shall not wait for a permit until this host says hello again.
    if (this.#fail(reason))
      this.#connection?.notify(Kind.LEAVE, encodeLeave({ ...address, reason }));
  }

  /** The server has told this host to leave. */
  dismissed(reason: string): void {
    this.#fail(reason);
  }

  /** @returns false where that is over already: of all that was on its way only the first tells, or each made it later */
  #fail(reason: string): boolean {
    const { machine } = this.context;
    if (machine.state.link === 'diverged' || machine.state.link === 'down') return false;
    // A greeting alone proves nothing: what cannot be taken, on a full disk, fails right after it, again and again.
    const lasted = Date.now() - this.#since.getTime() > LIMITS.reconnectLongestMs;
    if (machine.state.link === 'up' && lasted) this.#backoff.reset();
    this.#lose(reason);
    this.#tryAgain(this.#backoff.next());
    return true;
  }

  /** Until somebody resolves that, all that can be done is to look whether somebody has. */
  #diverge(reason: string): void {
    const { log, replica } = this.context;
    if (this.#divergence !== reason) log.error({ fileset: replica.fileset }, reason);
    this.#divergence = reason;
    this.error = reason;
    this.#since = new Date();
    this.users.forget();
    this.#backlog = undefined;
    this.#sink?.abandon(reason);
    this.#tryAgain(this.#patience.next());
  }

  #tryAgain(delayMs: number): void {
    const connection = this.#connection;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (connection !== undefined && connection === this.#connection) {
        this.context.machine.dispatch({ type: 'link-up' });
      }
    }, delayMs);
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
    await this.users.idle();
    const greeting = await greet(connection, address, this.context.replica).catch(
      (error: unknown): Greeting => {
        if (error instanceof ConnectionLost) throw error;
        return { type: 'refused', reason: errorText(error) };
      },
    );
    if (connection !== this.#connection || address.session !== this.#session) return;
    switch (greeting.type) {
      case 'met':
        this.#begin(connection, greeting);
        return;
      case 'behind':
        this.#met(greeting);
        this.context.machine.dispatch({ type: 'behind' });
        return;
      case 'late':
        this.#session = Math.max(this.#session, greeting.session);
        this.failed('the clock of this host has been set back');
        return;
      case 'refused':
        this.failed(greeting.reason);
        return;
      case 'misfit':
        this.context.machine.dispatch({ type: 'misfit' });
        this.#diverge(greeting.reason);
        return;
    }
  }

  #met({ server, theirs, stretch }: Met): void {
    const { replica } = this.context;
    replica.findVoids(theirs);
    this.#backlog = new PeerBacklog(replica, stretch, replica.end);
    this.#server = server;
    this.#theirs = theirs;
    this.#since = new Date();
    this.error = undefined;
    this.#divergence = undefined;
  }

  #begin(connection: Connection, greeting: Met): void {
    const { server, theirs, expected } = greeting;
    const { machine, replica, log, onSynced } = this.context;
    const { fileset } = replica;
    this.#met(greeting);
    const { address } = this;
    if (this.#sink === undefined) removeLeftovers(replica, server);
    this.#sink = new RecordSink({
      replica,
      peer: server,
      expected,
      log: false,
      flow: this.flow,
      fetch: (wanted) =>
        connection.fetch(
          Kind.FETCH,
          encodeFetch({ ...address, ...wanted, packed: replica.packed }),
        ),
    });
    machine.dispatch({ type: 'applied', expected });
    machine.dispatch({ type: 'hello', theirs });
    log.info({ fileset }, `connected to ${this.context.server}`);
    this.#patience.reset();
    onSynced();
  }

  close(reason: string): void {
    clearTimeout(this.#retry);
    // Or the server would wait for this host to give the permit back.
    this.#connection?.notify(Kind.LEAVE, encodeLeave({ ...this.address, reason }));
    this.#connection = undefined;
  }
}
