import {
  mayUpdate,
  newServer,
  stepServer,
  type ServerEffect,
  type ServerEvent,
  type ServerState,
} from '../../../src/core/replication/server.js';
import {
  hasLost,
  isGivenBack,
  type Begin,
  type Misfit,
} from '../../../src/core/replication/lost-tail.js';
import { NO_STRETCH } from '../../../src/core/model/position.js';
import { Sessions } from '../../../src/core/replication/sessions.js';
import type { Host, Shell, World } from './host.js';
import type { Notice, Rec } from './presto.js';
import type { PaperBacklog } from './paper-backlog.js';
import type { Psdev } from './psdev.js';
import { beginFor } from './position.js';
import { Sink } from './sink.js';
import type { End, Receiver, Reply, Request } from './wire.js';

type Answer = (reply: Reply) => void;

/** ServerPeer in memory. */
interface Peer {
  readonly name: string;
  readonly end: End;
  readonly session: number;
  readonly sink: Sink;
  /** What was expected of it when it said hello. */
  readonly expected: number;
  /** The epoch that its log was in then. */
  readonly epoch: number;
  begin: Begin;
  /** It has updates that the server lacks. */
  readonly hasNews: boolean;
  backlog: PaperBacklog;
  permits: Answer[];
}

const NOWHERE: Begin = { intact: Infinity, resumes: Infinity };

const MISFITS: Readonly<Record<Misfit, string>> = {
  restored: 'it has seen records that this log does not have (any more)',
  other: 'its history is not that of this log',
  lost: 'records were lost',
  unproven: 'it is further behind than this log reaches, and nobody can tell its history',
  replaced: 'it has followed another log',
  trimmed: 'it is further behind than this log reaches',
};

/** FilesetServer in memory: carries out what the server machine decides. */
export class ServerShell implements Shell, Receiver {
  state: ServerState;
  readonly peers = new Map<string, Peer>();
  readonly #events: ServerEvent[] = [];
  #running = false;
  #cancelTimer: () => void = () => undefined;
  /** Peers that have left, and what is to be done when their records are settled. */
  readonly #leaving = new Map<string, { then: (() => void)[] }>();
  readonly #ends = new Set<End>();
  readonly #sessions = new Sessions();

  constructor(
    private readonly host: Host,
    private readonly psdev: Psdev,
    private readonly world: World,
  ) {
    this.state = newServer(host.name, host.presto.end, world.clock.now);
    this.psdev.request({ kind: 'gate', state: 'held' }, () => undefined);
  }

  notice(notice: Notice): void {
    this.#dispatch(
      notice.kind === 'want' ? { type: 'want' } : { type: 'log-grew', end: notice.recno },
    );
  }

  /** A host has dialled. */
  accept(end: End): void {
    this.#ends.add(end);
    end.receiver = this;
  }

  #dispatch(event: ServerEvent): void {
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const [state, effects] = stepServer(this.state, next, this.world.clock.now);
      this.state = state;
      for (const effect of effects) this.#run(effect);
    }
    this.#running = false;
  }

  #run(effect: ServerEffect): void {
    switch (effect.type) {
      case 'send-batch':
        this.#sendBatch(effect.peer, effect.from);
        return;
      case 'grant-self':
        this.world.trace(`${this.host.name}: takes generation ${effect.generation}`);
        this.psdev.request({ kind: 'gate', state: 'held' }, () => undefined);
        return;
      case 'revoke-self':
        this.psdev.request({ kind: 'gate', state: 'absent' }, ({ end }) => {
          this.#dispatch({ type: 'log-grew', end });
          this.#dispatch({ type: 'self-released', end });
        });
        return;
      case 'grant': {
        const { generation, upto } = effect;
        const waiting = this.peers.get(effect.peer)?.permits.splice(0) ?? [];
        for (const answer of waiting) answer({ kind: 'granted', generation, upto });
        return;
      }
      case 'revoke':
        this.#revoke(effect.peer, effect.generation);
        return;
      case 'drop-peer':
        this.peers.get(effect.peer)?.end.close(effect.reason);
        this.peers.get(effect.peer)?.sink.lose();
        this.#leave(effect.peer, effect.reason);
        return;
      case 'acknowledged':
        return;
      case 'wake-at':
        this.#cancelTimer();
        this.#cancelTimer = this.world.clock.at(effect.time, () =>
          this.#dispatch({ type: 'tick' }),
        );
        return;
    }
  }

  #revoke(name: string, generation: number): void {
    const peer = this.peers.get(name);
    peer?.end.request(peer.session, { kind: 'revoke', generation }, (reply) => {
      if (reply.kind !== 'stopped' || this.peers.get(name) !== peer) return;
      this.#dispatch({ type: 'permit-released', peer: name, end: reply.end });
    });
  }

  #sendBatch(name: string, from: number): void {
    const peer = this.peers.get(name);
    if (peer === undefined) return;
    const acked = this.state.peers.get(name)?.expected ?? 0;
    const { presto } = this.host;
    const size = this.world.batchSize;
    const { backlog } = peer;
    const batch = presto.read({ from, isFor: this.#isFor(peer), acked, size, backlog });
    if (batch === undefined) {
      this.#fail(peer, 'the log cannot be read: it was trimmed');
      return;
    }
    this.#events.push({ type: 'batch-sent', peer: name, next: batch.next });
    peer.end.request(peer.session, { kind: 'records', batch }, (reply) => {
      if (this.peers.get(name) !== peer) return;
      if (reply.kind === 'refused') this.#fail(peer, reply.message);
      else if (reply.kind === 'expects') {
        this.#dispatch({ type: 'batch-answered', peer: name, expected: reply.expected });
      }
    });
  }

  #fail(peer: Peer, message: string): void {
    peer.end.leave(peer.session, message);
    this.#leave(peer.name, message);
  }

  #leave(name: string, reason: string): void {
    const peer = this.peers.get(name);
    if (peer === undefined) return;
    this.peers.delete(name);
    this.world.trace(`${this.host.name}: ${name} is disconnected: ${reason}`);
    const leaving: { then: (() => void)[] } = { then: [] };
    this.#leaving.set(name, leaving);
    peer.sink.whenIdle(() =>
      this.host.later(() => {
        if (this.#leaving.get(name) === leaving) this.#leaving.delete(name);
        this.#dispatch({ type: 'peer-down', peer: name });
        for (const work of leaving.then) work();
      }),
    );
  }

  closed(end: End, reason: string): void {
    this.#ends.delete(end);
    for (const peer of this.peers.values()) {
      if (peer.end !== end) continue;
      peer.sink.lose();
      this.#leave(peer.name, reason);
    }
  }

  leave(end: End, session: number, reason: string): void {
    const peer = this.peers.get(end.to);
    if (peer?.end === end && peer.session === session) this.#leave(peer.name, reason);
  }

  request(end: End, session: number, request: Request, answer: Answer): void {
    const name = end.to;
    if (request.kind === 'hello') {
      this.#hello(name, end, session, request, answer);
      return;
    }
    const peer = this.peers.get(name);
    if (peer?.end !== end || peer.session !== session) {
      answer({ kind: 'refused', message: 'say hello first' });
      return;
    }
    switch (request.kind) {
      case 'position':
        this.#position(peer, request, answer);
        return;
      case 'records':
        this.#records(peer, request, answer);
        return;
      case 'walk':
        this.#walk(name, answer);
        return;
      case 'permit':
        peer.permits.push(answer);
        this.#dispatch({ type: 'permit-request', peer: name });
        return;
      case 'fetch':
        answer({ kind: 'ok', data: this.host.presto.fetch(request.recno) });
        return;
      default:
        answer({ kind: 'ok' });
    }
  }

  #hello(
    name: string,
    end: End,
    session: number,
    hello: Request & { kind: 'hello' },
    answer: Answer,
  ): void {
    const last = this.#sessions.begin(name, session);
    if (last !== undefined) {
      answer({ kind: 'late', session: last });
      return;
    }
    const older = this.peers.get(name);
    this.#leave(name, 'it connected again');
    if (older !== undefined && older.end !== end) {
      older.end.close('connected again');
      older.sink.lose();
    }
    const go = (): void =>
      this.psdev.request({ kind: 'expected', peer: name }, (claim) => {
        const { expected } = claim;
        const { epochs } = this.host.presto;
        const later = this.#sessions.laterThan(name, session);
        if (later !== undefined) {
          answer({ kind: 'late', session: later });
          return;
        }
        const sink = new Sink(this.psdev, name, end, session, expected, true);
        const { end: theirEnd, current: epoch } = hello;
        const known = { name, end, session, sink, expected, epoch, begin: NOWHERE, permits: [] };
        const backlog = this.host.presto.backlog(NO_STRETCH, 0);
        this.peers.set(name, { ...known, hasNews: theirEnd >= expected, backlog });
        answer({ kind: 'welcome', claim, current: epochs.current });
      });
    const leaving = this.#leaving.get(name);
    if (leaving === undefined) this.host.later(go);
    else leaving.then.push(go);
  }

  #position(peer: Peer, position: Request & { kind: 'position' }, answer: Answer): void {
    const { claim, intact, resumes } = position;
    const { expected: expects, stretch } = claim;
    const { presto } = this.host;
    const ours = beginFor(presto, claim);
    if (ours === 'trimmed') {
      this.#agree(peer);
      answer({ kind: 'begins', resumes: expects, behind: true });
      const up = { type: 'peer-up', peer: peer.name, theirs: expects, ours: resumes } as const;
      this.#dispatch({ ...up, behind: true });
      return;
    }
    if (typeof ours === 'string' || hasLost(expects, ours)) {
      const message = typeof ours === 'string' ? MISFITS[ours] : 'records were lost';
      this.#leave(peer.name, message);
      answer({ kind: 'misfit', message });
      return;
    }
    this.#agree(peer);
    peer.begin = { intact, resumes };
    peer.backlog = presto.backlog(stretch, peer.hasNews ? 0 : presto.end);
    peer.sink.resumeAt(resumes);
    answer({ kind: 'begins', resumes: ours.resumes, behind: false });
    const up = { type: 'peer-up', peer: peer.name, theirs: ours.resumes, ours: resumes } as const;
    this.#dispatch({ ...up, behind: false });
  }

  #agree({ name, epoch }: Peer): void {
    this.psdev.request({ kind: 'agreed', peer: name, epoch }, () => undefined);
  }

  /** It takes its time: meanwhile the tree may change. */
  #walk(peer: string, answer: Answer): void {
    const { presto } = this.host;
    const recno = presto.end;
    const checksum = presto.log.at(-1)?.rec.id ?? '';
    this.#dispatch({ type: 'peer-busy', peer });
    this.psdev.request({ kind: 'expected', peer }, () => {
      const tree = presto.contents?.tree.copy();
      const still = presto.end === recno;
      answer({ kind: 'tree', history: [...presto.history], tree, recno, checksum, still });
    });
  }

  #isFor({ name, expected, begin }: Peer): (rec: Rec) => boolean {
    return ({ origin, originRecno }) =>
      origin !== name || isGivenBack(originRecno, expected, begin);
  }

  #records(peer: Peer, request: Request & { kind: 'records' }, answer: Answer): void {
    if (!mayUpdate(this.state, peer.name)) {
      answer({ kind: 'refused', message: 'it does not hold the permit' });
      return;
    }
    peer.sink.receive(request.batch, ({ expected, end, failure }) => {
      answer(
        failure === undefined
          ? { kind: 'expects', expected }
          : { kind: 'refused', message: failure },
      );
      this.#dispatch({ type: 'applied', peer: peer.name, expected, end });
    });
  }

  describe(): string {
    const { permits, peers } = this.state;
    const waiting = permits.waiting.length > 0 ? `, waiting ${permits.waiting.join(' ')}` : '';
    const connected = [...peers].map(([name, peer]) => `${name} has ${peer.sender.acked - 1}`);
    const has = connected.length > 0 ? `, ${connected.join(', ')}` : '';
    return `generation ${permits.generation} with ${permits.holder}${waiting}${has}`;
  }

  leaveAll(): void {
    this.#cancelTimer();
    const told = this.world.plant === 'unmount-unsaid' ? [] : this.peers.values();
    for (const { end, session } of told) end.detach(session);
    for (const end of this.#ends) end.detach();
  }

  stop(): void {
    this.#cancelTimer();
    for (const end of this.#ends) end.close('lento ends');
  }
}
