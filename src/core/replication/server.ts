import type { Recno } from '../model/ids.js';
import {
  caughtUp,
  drained,
  extended,
  lost,
  nextDeadline,
  permitsOf,
  progress,
  released,
  requested,
  type PermitEffect,
  type PermitTable,
} from './permits.js';
import {
  batchAnswered,
  batchSent,
  logGrew,
  pausedFor,
  pending,
  senderFor,
  startBatch,
  type SenderState,
} from './sender.js';

/**
 * A fileset at its server. Pure: `stepServer(state, event)` says what is so afterwards and what is to be done.
 *
 * The server keeps the one order of updates: it logs its own and its clients' updates in its KML and sends them to all
 * replicators. It also keeps the permit.
 */
export interface ServerState {
  readonly server: string;
  /** Last record of the server's log. */
  readonly end: Recno;
  readonly permits: PermitTable;
  /** Connected replicators. */
  readonly peers: ReadonlyMap<string, PeerState>;
}

export interface PeerState {
  readonly sender: SenderState;
  /** Next record to expect from the peer's own log. */
  readonly expected: Recno;
}

export type ServerEvent =
  /** The server's own programs want to update. */
  | { readonly type: 'want' }
  /** The server's own presto has stopped admitting updates; the log ends at `end`. */
  | { readonly type: 'self-released'; readonly end: Recno }
  | { readonly type: 'log-grew'; readonly end: Recno }
  /** A replicator said hello: it expects `theirs` of our log, we expect `ours` of its. */
  | {
      readonly type: 'peer-up';
      readonly peer: string;
      readonly theirs: Recno;
      readonly ours: Recno;
      /** What it expects is not in the log any more: it takes the tree. */
      readonly behind: boolean;
    }
  /** A peer that takes the tree, or merges, has got some of what it needs for that. */
  | { readonly type: 'peer-busy'; readonly peer: string }
  | { readonly type: 'peer-down'; readonly peer: string }
  | { readonly type: 'permit-request'; readonly peer: string }
  | { readonly type: 'permit-released'; readonly peer: string; readonly end: Recno }
  /** Records of the peer were applied and logged here. */
  | {
      readonly type: 'applied';
      readonly peer: string;
      readonly expected: Recno;
      readonly end: Recno;
    }
  | { readonly type: 'batch-sent'; readonly peer: string; readonly next: Recno }
  | { readonly type: 'batch-answered'; readonly peer: string; readonly expected: Recno }
  /** Only time has passed. */
  | { readonly type: 'tick' };

export type ServerEffect =
  /** Read the log from `from` on, as far as one batch goes, and send that to the peer. */
  | { readonly type: 'send-batch'; readonly peer: string; readonly from: Recno }
  | { readonly type: 'grant-self'; readonly generation: number }
  /** The server's own presto must stop admitting updates and say where its log ends. */
  | { readonly type: 'revoke-self' }
  /** `upto`: the peer may update once it has applied our log up to this record. */
  | {
      readonly type: 'grant';
      readonly peer: string;
      readonly generation: number;
      readonly upto: Recno;
    }
  | { readonly type: 'revoke'; readonly peer: string; readonly generation: number }
  /** The peer does not answer: close its connection. */
  | { readonly type: 'drop-peer'; readonly peer: string; readonly reason: string }
  | { readonly type: 'acknowledged'; readonly peer: string; readonly expected: Recno }
  /** Send a tick at this time. */
  | { readonly type: 'wake-at'; readonly time: number };

export type ServerStep = readonly [ServerState, readonly ServerEffect[]];

export function newServer(server: string, end: Recno, now: number): ServerState {
  return { server, end, permits: permitsOf(server, now), peers: new Map() };
}

/** `now`: milliseconds of any clock that does not go back. */
export function stepServer(state: ServerState, event: ServerEvent, now: number): ServerStep {
  const [changed, effects] = react(state, event, now);
  return finish(changed, effects, now);
}

/** Whether records of this peer are to be taken: it holds the permit, or is giving it back. Fences off late ones. */
export function mayUpdate(state: ServerState, peer: string): boolean {
  const { holder, handover } = state.permits;
  return state.peers.has(peer) && (holder === peer || handover?.from === peer);
}

function react(state: ServerState, event: ServerEvent, now: number): ServerStep {
  switch (event.type) {
    case 'want':
      return permitStep(state, requested(state.permits, state.server, now));
    case 'self-released':
      return [
        { ...grown(state, event.end), permits: released(state.permits, state.server, event.end) },
        [],
      ];
    case 'log-grew':
      return [grown(state, event.end), []];
    case 'peer-up': {
      const senderOf = event.behind ? pausedFor : senderFor;
      const peer = { sender: senderOf(event.theirs, state.end), expected: event.ours };
      return [
        withPeer(state, event.peer, peer),
        [{ type: 'acknowledged', peer: event.peer, expected: event.theirs }],
      ];
    }
    case 'peer-busy':
      return [{ ...state, permits: extended(state.permits, event.peer, now) }, []];
    case 'peer-down': {
      const peers = new Map(state.peers);
      peers.delete(event.peer);
      const step = lost(state.permits, event.peer, state.server, now);
      return permitStep({ ...state, peers }, step);
    }
    case 'permit-request':
      if (!state.peers.has(event.peer)) return [state, []];
      return permitStep(state, requested(state.permits, event.peer, now));
    case 'permit-released':
      return [{ ...state, permits: released(state.permits, event.peer, event.end) }, []];
    case 'applied': {
      const peer = state.peers.get(event.peer);
      const after = grown(state, event.end);
      if (peer === undefined) return [after, []];
      return [
        withPeer(after, event.peer, {
          ...peerOf(after, event.peer, peer),
          expected: event.expected,
        }),
        [],
      ];
    }
    case 'batch-sent':
      return [updateSender(state, event.peer, (s) => batchSent(s, event.next)), []];
    case 'batch-answered':
      return [
        updateSender(state, event.peer, (s) => batchAnswered(s, event.expected)),
        [{ type: 'acknowledged', peer: event.peer, expected: event.expected }],
      ];
    case 'tick':
      return [state, []];
  }
}

/** What every event may set going: batches, the end of a hand-over, the begin of the next. */
function finish(start: ServerState, before: readonly ServerEffect[], now: number): ServerStep {
  const effects = [...before];
  let state = start;
  for (const step of [
    (s: ServerState) =>
      drained(s.permits, s.server, (host) => s.peers.get(host)?.expected ?? Infinity, now),
    (s: ServerState) => progress(holderHasAll(s) ? caughtUp(s.permits) : s.permits, now),
  ]) {
    const [after, more] = permitStep(state, step(state));
    state = after;
    effects.push(...more);
  }
  for (const [name, peer] of state.peers) {
    const sender = startBatch(peer.sender);
    if (sender === undefined) continue;
    effects.push({ type: 'send-batch', peer: name, from: sender.next });
    state = withPeer(state, name, { ...peer, sender });
  }
  const deadline = nextDeadline(state.permits);
  if (deadline !== undefined) effects.push({ type: 'wake-at', time: deadline });
  return [state, effects];
}

function holderHasAll({ permits, peers }: ServerState): boolean {
  const holder = peers.get(permits.holder);
  return holder !== undefined && pending(holder.sender) === 0;
}

function permitStep(
  state: ServerState,
  [permits, effects]: readonly [PermitTable, readonly PermitEffect[]],
): ServerStep {
  return [{ ...state, permits }, effects.map((effect) => permitEffect(state, effect))];
}

function permitEffect(state: ServerState, effect: PermitEffect): ServerEffect {
  const { server, end } = state;
  switch (effect.type) {
    case 'grant':
      return effect.to === server
        ? { type: 'grant-self', generation: effect.generation }
        : { type: 'grant', peer: effect.to, generation: effect.generation, upto: end };
    case 'revoke':
      return effect.from === server
        ? { type: 'revoke-self' }
        : { type: 'revoke', peer: effect.from, generation: effect.generation };
    case 'declare-lost':
      return {
        type: 'drop-peer',
        peer: effect.host,
        reason: 'it did not give the permit back in time',
      };
  }
}

function grown(state: ServerState, end: Recno): ServerState {
  if (end <= state.end) return state;
  const peers = new Map<string, PeerState>();
  for (const [name, peer] of state.peers) {
    peers.set(name, { ...peer, sender: logGrew(peer.sender, end) });
  }
  return { ...state, end, peers };
}

function peerOf(state: ServerState, name: string, fallback: PeerState): PeerState {
  return state.peers.get(name) ?? fallback;
}

function withPeer(state: ServerState, name: string, peer: PeerState): ServerState {
  return { ...state, peers: new Map(state.peers).set(name, peer) };
}

function updateSender(
  state: ServerState,
  name: string,
  change: (sender: SenderState) => SenderState,
): ServerState {
  const peer = state.peers.get(name);
  return peer === undefined
    ? state
    : withPeer(state, name, { ...peer, sender: change(peer.sender) });
}
