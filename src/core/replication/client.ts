import type { Recno } from '../model/ids.js';
import {
  acknowledged,
  batchAnswered,
  batchSent,
  logGrew,
  pending,
  senderFor,
  startBatch,
  type SenderState,
} from './sender.js';

/**
 * A fileset at one of its replicators. Pure: `stepClient(state, event)`.
 *
 * Invariants: (1) presto may update only with the permit, or cut off; (2) while the link is up, records of the server are
 * applied one by one only when the client has no record of its own that the server lacks: otherwise both sides have
 * news, which are merged as a whole once the server stands still; (3) the permit is used only when the server's log is
 * applied up to the record that the grant names.
 */
export interface ClientState {
  /**
   * `closing`: the connection is there and presto is told to stop updating, so that it is known what was done while cut
   * off; `greeting`: hello is said; `resync`: the server's log does not go back to where this host is, so its whole tree
   * is taken; `diverged`: the logs do not fit.
   */
  readonly link: 'down' | 'closing' | 'greeting' | 'up' | 'resync' | 'diverged';
  readonly resync: ResyncPhase;
  /** Last record of this host's log. */
  readonly end: Recno;
  /** Next record to expect from the server. */
  readonly expected: Recno;
  readonly sender: SenderState | undefined;
  /** Updates up to this record were made while cut off; 0 for none. They are sent with the permit only. */
  readonly offline: Recno;
  readonly permit: ClientPermit;
  /** Local programs wait for the permit. */
  readonly wanted: boolean;
  /** How often presto was told to stop and has not answered yet: only the last answer tells that it has stopped. */
  readonly stopping: number;
  /** Next record of the server's log after those that wait here for a merge; 0: none wait. */
  readonly held: Recno;
  /** The merge of what waits is being made. */
  readonly merging: boolean;
  /** A batch was refused: those behind it, on their way already, would leave out what was in it. */
  readonly deaf: boolean;
  /** The last generation that was revoked on this link; its grant may come later than that. */
  readonly revoked: number;
}

/**
 * `fetching`: contents are collected while everybody goes on; `stopping`: this host's programs have to stop; `taking`: the
 * tree is compared with the server's; `waiting`: that changed meanwhile, so it is to stand still the next time.
 */
export type ResyncPhase = 'none' | 'fetching' | 'stopping' | 'waiting' | 'taking';

export type ClientPermit =
  | { readonly type: 'absent' }
  | { readonly type: 'asked' }
  /** Granted, and of use when the server's log is applied up to `upto`. */
  | { readonly type: 'granted'; readonly generation: number; readonly upto: Recno }
  | { readonly type: 'held'; readonly generation: number };

export type ClientEvent =
  | { readonly type: 'want' }
  | { readonly type: 'log-grew'; readonly end: Recno }
  /** The connection is there. */
  | { readonly type: 'link-up' }
  | { readonly type: 'link-down' }
  /** Both logs fit: of ours the server gets `theirs` next. */
  | { readonly type: 'hello'; readonly theirs: Recno }
  /** The server's log was trimmed past what this host expects of it. */
  | { readonly type: 'behind' }
  /** Nearly all contents that this host lacks are here. */
  | { readonly type: 'tree-fetched' }
  /** The server's tree was changed while it was looked at. */
  | { readonly type: 'tree-changed' }
  /** What one side knows of the other's log is no place in that: it was restored, or replaced. */
  | { readonly type: 'misfit' }
  | { readonly type: 'granted'; readonly generation: number; readonly upto: Recno }
  | { readonly type: 'revoked'; readonly generation: number }
  /** presto has stopped admitting updates; its log ends at `end`. */
  | { readonly type: 'presto-released'; readonly end: Recno }
  /** A batch came; `acked` is what the server expects of us, `updates` whether it has any for us to apply. */
  | {
      readonly type: 'batch';
      readonly acked: Recno;
      readonly updates: boolean;
      /** What follows after it. */
      readonly next: Recno;
    }
  /** What waited is merged: the server's log is applied up to `expected`, ours ends at `end` with the amendments. */
  | { readonly type: 'merged'; readonly end: Recno; readonly expected: Recno }
  | { readonly type: 'applied'; readonly expected: Recno }
  | { readonly type: 'batch-sent'; readonly next: Recno }
  | { readonly type: 'batch-answered'; readonly expected: Recno };

export type ClientEffect =
  | { readonly type: 'say-hello' }
  | { readonly type: 'ask-permit' }
  /** How presto's gate stands from now on. `absent` after `held`: presto drains and says where its log ends. */
  | { readonly type: 'gate'; readonly state: 'disconnected' | 'absent' | 'held' }
  /** Answer the server's revocation: we have stopped, our log ends at `end`. */
  | { readonly type: 'answer-revoke'; readonly end: Recno }
  | { readonly type: 'send-batch'; readonly from: Recno }
  /** The batch in hand may be applied. */
  | { readonly type: 'apply-batch' }
  /** Both sides have news: the batch in hand waits until all of the server's are here, to be merged with ours. */
  | { readonly type: 'hold-batch' }
  /** The batch in hand must not be applied. */
  | { readonly type: 'refuse-batch' }
  /** Merge what waits with our records that the server does not have. */
  | { readonly type: 'merge' }
  | { readonly type: 'acknowledged'; readonly expected: Recno }
  /** Collect the contents of the server's tree that this host lacks. */
  | { readonly type: 'fetch-tree' }
  /** Merge the server's tree with this host's, and say hello again. */
  | { readonly type: 'take-tree' };

export type ClientStep = readonly [ClientState, readonly ClientEffect[]];

export function newClient(end: Recno, expected: Recno): ClientState {
  return {
    link: 'down',
    resync: 'none',
    end,
    expected,
    sender: undefined,
    offline: 0,
    permit: { type: 'absent' },
    wanted: false,
    stopping: 0,
    held: 0,
    merging: false,
    deaf: false,
    revoked: 0,
  };
}

export function stepClient(state: ClientState, event: ClientEvent): ClientStep {
  const [changed, effects] = react(state, event);
  return finish(changed, effects);
}

function react(state: ClientState, event: ClientEvent): ClientStep {
  switch (event.type) {
    case 'want':
      return [{ ...state, wanted: true }, []];
    case 'log-grew':
      return [grown(state, event.end), []];
    case 'link-up':
      // Also where an earlier connection was not said to be lost: nothing that belongs to that one counts any more.
      return stop(disconnected(state, 'closing'));
    case 'link-down':
      return [disconnected(state, 'down'), [{ type: 'gate', state: 'disconnected' }]];
    case 'hello': {
      if (state.link !== 'greeting') return [state, []];
      return greeted(state, event.theirs);
    }
    case 'behind':
      if (state.link !== 'greeting') return [state, []];
      return [
        { ...disconnected(state, 'resync'), resync: 'fetching' },
        [{ type: 'gate', state: 'disconnected' }, { type: 'fetch-tree' }],
      ];
    case 'tree-fetched':
      return state.resync === 'fetching' ? stop({ ...state, resync: 'stopping' }) : [state, []];
    case 'tree-changed':
      return [state.resync === 'taking' ? { ...state, resync: 'waiting' } : state, []];
    case 'misfit':
      return [disconnected(state, 'diverged'), [{ type: 'gate', state: 'disconnected' }]];
    case 'granted':
      if (state.permit.type !== 'asked') return [state, []];
      return [
        { ...state, permit: { type: 'granted', generation: event.generation, upto: event.upto } },
        [],
      ];
    case 'revoked':
      return revoked(state, event.generation);
    case 'presto-released':
      return prestoReleased({ ...grown(state, event.end), stopping: state.stopping - 1 });
    case 'batch':
      return batch(state, event);
    case 'merged':
      return [merged(state, event), []];
    case 'applied':
      return [{ ...state, expected: Math.max(state.expected, event.expected) }, []];
    case 'batch-sent':
      return [updateSender(state, (s) => batchSent(s, event.next)), []];
    case 'batch-answered':
      return [
        updateSender(state, (s) => batchAnswered(s, event.expected)),
        [{ type: 'acknowledged', expected: event.expected }],
      ];
  }
}

function greeted(state: ClientState, theirs: Recno): ClientStep {
  const sender = senderFor(theirs, state.end);
  const offline = pending(sender) > 0 ? state.end : 0;
  return [
    { ...state, link: 'up', sender, offline, permit: { type: 'absent' } },
    [{ type: 'acknowledged', expected: theirs }],
  ];
}

/** presto has to stop admitting updates, and answers with `presto-released`. */
function stop(state: ClientState): ClientStep {
  return [{ ...state, stopping: state.stopping + 1 }, [{ type: 'gate', state: 'absent' }]];
}

function prestoReleased(state: ClientState): ClientStep {
  // It has been opened since it stopped for an earlier link, and told to stop again.
  if (state.stopping > 0) return [state, []];
  if (state.link === 'closing') return [{ ...state, link: 'greeting' }, [{ type: 'say-hello' }]];
  if (state.resync === 'stopping') return [{ ...state, resync: 'taking' }, [{ type: 'take-tree' }]];
  return state.link === 'up' ? [state, [answerRevoke(state)]] : [state, []];
}

/** What is granted is given back by `finish`; where it is asked for, the grant is on its way. */
function revoked(state: ClientState, generation: number): ClientStep {
  if (state.permit.type === 'absent') return [state, [answerRevoke(state)]];
  return [{ ...state, revoked: generation }, []];
}

/** A permit that is not in use needs no draining. */
function giveBack(state: ClientState): ClientStep {
  const after: ClientState = { ...state, permit: { type: 'absent' } };
  return state.permit.type === 'held' ? stop(after) : [after, [answerRevoke(after)]];
}

/** What was made cut off comes with the permit only: for that the server would wait in vain. */
function answerRevoke(state: ClientState): ClientEffect {
  const { sender, end } = state;
  const kept = sender !== undefined && reintegrating(state);
  return { type: 'answer-revoke', end: kept ? sender.acked - 1 : end };
}

function batch(
  state: ClientState,
  { acked, updates, next }: Extract<ClientEvent, { type: 'batch' }>,
): ClientStep {
  if (state.link !== 'up' || state.merging || state.deaf) {
    return [{ ...state, deaf: state.link === 'up' }, [{ type: 'refuse-batch' }]];
  }
  const after = updateSender(state, (s) => acknowledged(s, acked));
  const collides = updates && after.sender !== undefined && pending(after.sender) > 0;
  if (state.held === 0 && !collides) return [after, [{ type: 'apply-batch' }]];
  return [{ ...after, held: next }, [{ type: 'hold-batch' }]];
}

/** The amendments were made cut off, like what they replace, and are sent in its place. */
function merged(
  state: ClientState,
  { end, expected }: Extract<ClientEvent, { type: 'merged' }>,
): ClientState {
  const after = { ...state, end, expected, held: 0, merging: false, offline: end };
  return updateSender(after, ({ acked }) => senderFor(acked, end));
}

/** What every event may set going: use of a grant, a request for one, a batch to the server. */
function finish(start: ClientState, before: readonly ClientEffect[]): ClientStep {
  const effects = [...before];
  let state = start;
  if (state.held > 0 && !state.merging && mayMerge(state)) {
    state = { ...state, merging: true };
    effects.push({ type: 'merge' });
  }
  if (state.permit.type === 'granted' && state.resync === 'waiting') {
    state = { ...state, resync: 'taking' };
    effects.push({ type: 'take-tree' });
  }
  if (
    state.link === 'up' &&
    state.permit.type === 'granted' &&
    state.expected > state.permit.upto
  ) {
    state = {
      ...state,
      wanted: false,
      // Nothing of the server's is missing here and it stands still: what was made cut off may go now.
      offline: 0,
      permit: { type: 'held', generation: state.permit.generation },
    };
    effects.push({ type: 'gate', state: 'held' });
  }
  // Also where the revocation has overtaken the grant: what waited for it gets through in between, and nobody starves.
  // Not in the middle of a merge: what others did meanwhile would not be in it, and all of it had to be made again. In a
  // resync the session ends when it is not needed any more.
  const isRevoked = 'generation' in state.permit && state.permit.generation <= state.revoked;
  if (isRevoked && !state.merging && state.link === 'up') {
    const [after, more] = giveBack(state);
    state = after;
    effects.push(...more);
  }
  if (state.permit.type === 'absent' && mustAsk(state)) {
    state = { ...state, permit: { type: 'asked' } };
    effects.push({ type: 'ask-permit' });
  }
  const sender = state.sender === undefined ? undefined : startBatch(state.sender);
  if (sender !== undefined && maySend(state)) {
    effects.push({ type: 'send-batch', from: sender.next });
    state = { ...state, sender };
  }
  return [state, effects];
}

/** The server stands still, and all that it has is here. */
function mayMerge({ permit, held }: ClientState): boolean {
  return permit.type === 'granted' && held > permit.upto;
}

/** Programs wait, or there are updates from before the link: for those the server has to stand still. */
function mustAsk(state: ClientState): boolean {
  if (state.link !== 'up') return state.resync === 'waiting';
  return state.wanted || reintegrating(state);
}

/** Updates made while cut off are still on their way to the server. */
export function reintegrating(state: ClientState): boolean {
  return state.sender !== undefined && state.sender.acked <= state.offline;
}

/**
 * Records made with the permit may be sent whenever they are there, also while it is being given back. Those made while
 * cut off wait until the permit is held: then nothing of the server's is missing here.
 */
function maySend(state: ClientState): boolean {
  return state.link === 'up' && (state.permit.type === 'held' || !reintegrating(state));
}

function disconnected(state: ClientState, link: Exclude<ClientState['link'], 'up'>): ClientState {
  return {
    ...state,
    link,
    resync: 'none',
    sender: undefined,
    offline: 0,
    permit: { type: 'absent' },
    wanted: false,
    held: 0,
    merging: false,
    deaf: false,
    revoked: 0,
  };
}

function grown(state: ClientState, end: Recno): ClientState {
  if (end <= state.end) return state;
  return updateSender({ ...state, end }, (sender) => logGrew(sender, end));
}

function updateSender(
  state: ClientState,
  change: (sender: SenderState) => SenderState,
): ClientState {
  return state.sender === undefined ? state : { ...state, sender: change(state.sender) };
}
