import { assert } from '../../../src/core/model/assert.js';
import {
  newClient,
  stepClient,
  type ClientEffect,
  type ClientEvent,
  type ClientState,
} from '../../../src/core/replication/client.js';
import { describeClient, reconnecting, waiting, type InHand } from './client-words.js';
import { greet, type Greeting } from './greeting.js';
import type { Host, Shell, World } from './host.js';
import { NO_STRETCH } from '../../../src/core/model/position.js';
import type { PaperBacklog } from './paper-backlog.js';
import type { Gate, Item, Notice } from './presto.js';
import type { Psdev } from './psdev.js';
import { Sink } from './sink.js';
import { TreeTaker } from './tree-taker.js';
import type { End, Receiver, Reply, Request } from './wire.js';

/** FilesetClient in memory: carries out what the client machine decides. */
export class ClientShell implements Shell, Receiver {
  state: ClientState;
  /** Why the last session ended, or does not begin. */
  error: string | undefined;
  /** Said by the host's clock, which goes on when lento does not. */
  #session: number;
  /** What waits for the greeting to be over; undefined where it is. */
  #greeting: (() => void)[] | undefined;
  readonly #events: ClientEvent[] = [];
  #running = false;
  #end: End | undefined;
  #sink: Sink | undefined;
  #inHand: InHand | undefined;
  readonly #held: Item[] = [];
  #heldChecksum = '';
  #backlog: PaperBacklog;
  #merging = false;
  /** The first of our records that the server does not have. */
  #theirs = 1;
  readonly #taker: TreeTaker;
  readonly #afterMerge: (() => void)[] = [];
  #revocations: ((reply: Reply) => void)[] = [];
  #cancelRetry: () => void = () => undefined;
  readonly #backoff = reconnecting();
  readonly #patience = waiting();

  constructor(
    private readonly host: Host,
    private readonly psdev: Psdev,
    private readonly world: World,
  ) {
    this.#session = world.clock.now * 1000;
    this.#backlog = host.presto.backlog(NO_STRETCH, 0);
    this.state = newClient(host.presto.end, 1);
    this.#request('disconnected');
    this.#taker = new TreeTaker(host, psdev, world, {
      session: () => ({
        end: this.#end,
        session: this.#session,
        theirs: this.#theirs,
        backlog: this.#backlog,
      }),
      state: () => this.state,
      dispatch: (event) => this.#dispatch(event),
      failed: (reason) => this.#failed(reason),
      merging: (merging) => this.#setMerging(merging),
    });
  }

  notice(notice: Notice): void {
    this.#dispatch(
      notice.kind === 'want' ? { type: 'want' } : { type: 'log-grew', end: notice.recno },
    );
  }

  get connection(): End | undefined {
    return this.#end;
  }

  connected(end: End): void {
    if (this.#end !== undefined) this.closed(this.#end, 'connected again');
    this.#end = end;
    end.receiver = this;
    this.#dispatch({ type: 'link-up' });
  }

  closed(end: End, reason: string): void {
    if (end !== this.#end) return;
    this.#cancelRetry();
    this.#end = undefined;
    this.#sink?.lose();
    this.#lose(reason);
  }

  #lose(reason: string): void {
    this.#held.length = 0;
    this.#giveUp(reason);
    this.#dispatch({ type: 'link-down' });
  }

  /** @param isNews to the server too */
  #failed(reason: string, isNews = true): void {
    if (this.state.link === 'diverged' || this.state.link === 'down') return;
    if (isNews) this.#end?.leave(this.#session, reason);
    this.world.trace(`${this.host.name}: disconnected: ${reason}`);
    this.#lose(reason);
    this.#tryAgain(this.#backoff.next());
  }

  #diverge(reason: string): void {
    this.world.trace(`${this.host.name}: ${reason}`);
    this.#giveUp(reason);
    this.#tryAgain(this.#patience.next());
  }

  #tryAgain(delayMs: number): void {
    const end = this.#end;
    this.#cancelRetry();
    this.#cancelRetry = this.world.clock.after(delayMs, () => {
      if (end !== undefined && end === this.#end) this.#dispatch({ type: 'link-up' });
    });
  }

  #dispatch(event: ClientEvent): void {
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const before = this.state.link;
      const [state, effects] = stepClient(this.state, next);
      this.state = state;
      if (state.link !== before) this.world.trace(`${this.host.name}: ${state.link}`);
      for (const effect of effects) this.#run(effect);
    }
    this.#running = false;
  }

  #run(effect: ClientEffect): void {
    switch (effect.type) {
      case 'gate':
        this.#request(effect.state);
        return;
      case 'say-hello':
        this.#greet();
        return;
      case 'ask-permit':
        this.#askPermit();
        return;
      case 'answer-revoke':
        for (const answer of this.#revocations.splice(0)) {
          answer({ kind: 'stopped', end: effect.end });
        }
        return;
      case 'send-batch':
        this.#sendBatch(effect.from);
        return;
      case 'apply-batch':
        this.#apply();
        return;
      case 'refuse-batch':
        this.#refuse();
        return;
      case 'hold-batch':
        if (this.world.plant === 'skip-stamp-check') this.#apply();
        else this.#hold();
        return;
      case 'merge':
        this.#merge();
        return;
      case 'fetch-tree':
        this.#taker.fetch();
        return;
      case 'take-tree':
        this.#taker.take();
        return;
      case 'acknowledged':
    }
  }

  #request(state: Gate): void {
    this.psdev.request({ kind: 'gate', state }, ({ end }) => {
      if (state === 'absent') this.#dispatch({ type: 'presto-released', end });
    });
  }

  /** HELLO, then POSITION, with the counters standing still. */
  #greet(): void {
    const session = ++this.#session;
    this.#endGreeting();
    this.#greeting = [];
    const end = this.#end;
    if (end === undefined) return;
    const { host, psdev, world } = this;
    const isCurrent = (): boolean => end === this.#end && session === this.#session;
    const about = { presto: host.presto, psdev, serverName: world.serverName, session, isCurrent };
    const hello = (): void => greet(about, end, (greeting) => this.#helloed(end, greeting));
    const idle = (): void => {
      if (this.#merging) this.#afterMerge.push(hello);
      else hello();
    };
    if (this.#sink === undefined) idle();
    else this.#sink.whenIdle(idle);
  }

  #helloed(end: End, greeting: Greeting): void {
    switch (greeting.type) {
      case 'late':
        this.#session = Math.max(this.#session, greeting.session);
        this.#failed('the clock of this host has been set back');
        return;
      case 'refused':
        this.#failed(greeting.reason);
        return;
      case 'misfit':
        this.#dispatch({ type: 'misfit' });
        this.#diverge(greeting.reason);
        return;
      case 'met': {
        const { theirs, answer, stretch } = greeting;
        this.#backlog = this.host.presto.backlog(stretch, this.host.presto.end);
        if (answer.behind) this.#behind(theirs);
        else this.#greeted(end, theirs, answer);
      }
    }
  }

  #giveUp(reason: string): void {
    this.#revocations = [];
    this.#endGreeting();
    this.#sink?.abandon();
    this.error = reason;
  }

  #endGreeting(): void {
    for (const work of this.#greeting ?? []) this.host.later(work);
    this.#greeting = undefined;
  }

  #behind(theirs: number): void {
    this.#theirs = theirs;
    this.error = undefined;
    this.#dispatch({ type: 'behind' });
    this.#endGreeting();
  }

  #greeted(end: End, theirs: number, answer: Reply & { kind: 'begins' }): void {
    const { resumes: expected } = answer;
    const { serverName } = this.world;
    this.#sink = new Sink(this.psdev, serverName, end, this.#session, expected, false);
    this.error = undefined;
    this.#dispatch({ type: 'applied', expected });
    this.#dispatch({ type: 'hello', theirs });
    if (this.state.link !== 'diverged') {
      this.#backoff.reset();
      this.#patience.reset();
    }
    this.#endGreeting();
  }

  #askPermit(): void {
    const end = this.#end;
    end?.request(this.#session, { kind: 'permit' }, (reply) => {
      if (reply.kind !== 'granted' || end !== this.#end) return;
      this.#dispatch({ type: 'granted', generation: reply.generation, upto: reply.upto });
    });
  }

  #sendBatch(from: number): void {
    const end = this.#end;
    if (end === undefined) return;
    const { serverName, batchSize } = this.world;
    const batch = this.host.presto.read({
      ...{ from, size: batchSize, acked: this.state.expected, backlog: this.#backlog },
      isFor: ({ origin }) => origin !== serverName,
    });
    assert(batch !== undefined, 'what the server does not have is not trimmed');
    this.#events.push({ type: 'batch-sent', next: batch.next });
    const session = this.#session;
    end.request(session, { kind: 'records', batch }, (reply) => {
      if (end !== this.#end || session !== this.#session) return;
      if (reply.kind === 'refused') this.#failed(`it cannot take our records: ${reply.message}`);
      else if (reply.kind === 'expects') {
        this.#dispatch({ type: 'batch-answered', expected: reply.expected });
      }
    });
  }

  #apply(): void {
    const inHand = this.#inHand;
    this.#inHand = undefined;
    if (inHand === undefined) return;
    this.#sink?.receive(inHand.batch, ({ expected, failure }) => {
      this.#dispatch({ type: 'applied', expected });
      inHand.answer(
        failure === undefined
          ? { kind: 'expects', expected }
          : { kind: 'refused', message: failure },
      );
    });
  }

  #hold(): void {
    const inHand = this.#inHand;
    this.#inHand = undefined;
    if (inHand === undefined) return;
    this.#sink?.collect(inHand.batch);
    this.#held.push(...inHand.batch.items);
    this.#heldChecksum = inHand.batch.checksum;
    inHand.answer({ kind: 'expects', expected: this.state.expected });
  }

  #merge(): void {
    const end = this.#end;
    const { held: next, sender } = this.state;
    const items = this.#held.splice(0);
    if (sender === undefined) return;
    const { serverName: peer, trace } = this.world;
    const about = { peer, items, next, checksum: this.#heldChecksum, replaces: sender.acked };
    this.#sink?.whenCollected(() => {
      if (end === undefined || end !== this.#end) return;
      const server = this.world.serverTree(this.host.name, this.#session);
      if (this.host.presto.contents !== undefined && server === undefined) {
        this.#failed('the server does not stand still');
        return;
      }
      const { end: last } = this.host.presto;
      const plan = { ...about, backlog: this.#backlog, end: last, server, serverName: peer };
      this.#setMerging(true);
      this.psdev.request({ kind: 'merge', plan }, (reply) => {
        const { failure } = reply;
        if (failure === undefined) {
          trace(`${this.host.name}: merged ${items.map(({ rec }) => rec.id).join(' ')}`);
          this.#dispatch({ type: 'merged', end: reply.end, expected: next });
        } else if (end === this.#end) this.#failed(`it cannot be merged: ${failure}`);
        this.#setMerging(false);
      });
    });
  }

  #setMerging(merging: boolean): void {
    this.#merging = merging;
    if (!merging) for (const work of this.#afterMerge.splice(0)) work();
  }

  #refuse(): void {
    this.#inHand?.answer({ kind: 'refused', message: this.error ?? 'it is not connected' });
    this.#inHand = undefined;
  }

  request(_end: End, session: number, request: Request, answer: (reply: Reply) => void): void {
    if (session !== this.#session) {
      answer({ kind: 'refused', message: 'an old session' });
      return;
    }
    switch (request.kind) {
      case 'records':
        this.#whenGreeted(() => {
          this.#inHand = { batch: request.batch, answer };
          const { acked, items, next } = request.batch;
          this.#dispatch({ type: 'batch', acked, updates: items.length > 0, next });
        });
        return;
      case 'revoke':
        if (this.world.plant === 'skip-drain') answer({ kind: 'stopped', end: this.state.end });
        else this.#revocations.push(answer);
        this.#dispatch({ type: 'revoked', generation: request.generation });
        return;
      case 'fetch':
        answer({ kind: 'ok', data: this.host.presto.fetch(request.recno) });
        return;
      default:
        answer({ kind: 'ok' });
    }
  }

  #whenGreeted(work: () => void): void {
    if (this.#greeting === undefined) this.host.later(work);
    else this.#greeting.push(work);
  }

  leave(_end: End, session: number, reason: string): void {
    if (session === this.#session) this.#failed(reason, false);
  }

  describe(): string {
    return describeClient(this.state);
  }

  leaveAll(): void {
    this.#cancelRetry();
    this.#end?.detach(this.world.plant === 'unmount-unsaid' ? undefined : this.#session);
    this.#end = undefined;
  }

  stop(): void {
    this.#cancelRetry();
    this.#end?.close('lento ends');
    this.#end = undefined;
  }
}
