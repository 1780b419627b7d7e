import type { Fault } from '../model/fault.js';
import type { Recno, ReplicaId } from '../model/ids.js';
import type { Stretch } from '../model/position.js';
import { FrameError } from './frames.js';

/**
 * The upcalls and downcalls between presto and lento. Heads are JSON objects; these functions read them with every field
 * checked.
 *
 * Notices of presto: `hello` once (PrestoHello), `log` {recno} when the log has grown, `want` when programs wait for the
 * permit, `ending` {recno} when the fileset is unmounted: lento closes the channel when the log is sent. Notice of lento:
 * `alive` every second. Requests of lento: `gate` {state, policy} -> {recno}, `apply` (ApplyRequest) -> ApplyReply,
 * `acknowledged` {peer, recno} -> {}, `expected` {peer} -> {expected, checksum, from, to, epoch, others}, `agreed` {peer, epoch}
 * -> {}, `end` {} -> {recno}, `merge` {plan} (a file in the stage) -> {recno}, `trim` (TrimRules) -> {first, more}, `status` {} ->
 * PrestoStatus.
 */

/** Of presto's code and lento's: both come from one installation, but one may be running since before an update. */
export const PSDEV_VERSION = 4;

/** Where a presto of a psdev listens: one socket per mounted fileset. */
export const SOCKET_SUFFIX = '.sock';

export interface PrestoHello {
  readonly version: number;
  readonly fileset: string;
  readonly replica: ReplicaId;
  /** Last record of the log. */
  readonly recno: Recno;
  /** The number of the record that comes next: after a crash not the one after the last. */
  readonly next: Recno;
  /** Where lento finds the lower tree. */
  readonly lowerPath: string;
  readonly mountPoint: string;
  readonly pid: number;
}

export type GateState = 'disconnected' | 'absent' | 'held';
export type Policy = 'write' | 'readonly';

/** `read-only`: the fileset is mounted so, for programs; `failed`: mounted for updates, and its file system has turned read-only since. */
const CACHE_STATES = ['writable', 'read-only', 'failed'] as const;
export type CacheState = (typeof CACHE_STATES)[number];

export interface PrestoStatus {
  readonly gate: GateState;
  readonly nodes: number;
  readonly openFiles: number;
  readonly parked: number;
  readonly logBytes: number;
  readonly binding: string;
  readonly cache: CacheState;
}

export interface ApplyRequest {
  readonly peer: ReplicaId;
  /** Log the records here as well: the server does. */
  readonly log: boolean;
  readonly next: Recno;
  readonly checksum: number;
  /** What the records come from, where they are a shortened history. */
  readonly stretch: Stretch;
}

export interface ApplyReply {
  readonly expected: Recno;
  /** The end of this host's log. */
  readonly recno: Recno;
  readonly reason: string | undefined;
  readonly message: string;
  readonly fault: Fault | undefined;
}

type Head = Readonly<Record<string, unknown>>;

export function number(head: Head, key: string): number {
  const value = head[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new FrameError(`${key} is not a number`);
  }
  return value;
}

export function text(head: Head, key: string): string {
  const value = head[key];
  if (typeof value !== 'string') throw new FrameError(`${key} is not a string`);
  return value;
}

export function readHello(head: Head): PrestoHello {
  return {
    version: number(head, 'version'),
    fileset: text(head, 'fileset'),
    replica: number(head, 'replica'),
    recno: number(head, 'recno'),
    next: number(head, 'next'),
    lowerPath: text(head, 'lowerPath'),
    mountPoint: text(head, 'mountPoint'),
    pid: number(head, 'pid'),
  };
}

export function readGate(head: Head): { state: GateState; policy: Policy } {
  const state = text(head, 'state');
  const policy = text(head, 'policy');
  if (state !== 'disconnected' && state !== 'absent' && state !== 'held') {
    throw new FrameError(`${state} is no state of the gate`);
  }
  if (policy !== 'write' && policy !== 'readonly') throw new FrameError(`${policy} is no policy`);
  return { state, policy };
}

export function readApply(head: Head): ApplyRequest {
  return {
    peer: number(head, 'peer'),
    log: head['log'] === true,
    next: number(head, 'next'),
    checksum: number(head, 'checksum'),
    stretch: readStretch(head),
  };
}

/** Its two ends stand in the head by themselves. */
export function readStretch(head: Head): Stretch {
  return { from: number(head, 'from'), to: number(head, 'to') };
}

/** TrimRules of the journal, as they pass the psdev: JSON knows no infinity, an absent `backlog` is that. */
export function readTrim(head: Head): {
  acknowledged: Recno;
  history: number;
  backlog: number;
  least: number;
} {
  return {
    acknowledged: number(head, 'acknowledged'),
    history: number(head, 'history'),
    backlog: head['backlog'] === undefined ? Infinity : number(head, 'backlog'),
    least: number(head, 'least'),
  };
}

export function readApplyReply(head: Head): ApplyReply {
  const { reason } = head;
  return {
    expected: number(head, 'expected'),
    recno: number(head, 'recno'),
    reason: typeof reason === 'string' ? reason : undefined,
    message: typeof head['message'] === 'string' ? head['message'] : '',
    fault:
      head['errno'] === undefined
        ? undefined
        : {
            path: text(head, 'path'),
            operation: text(head, 'operation'),
            errno: text(head, 'errno'),
          },
  };
}

function readCacheState(word: string): CacheState {
  const state = CACHE_STATES.find((each) => each === word);
  if (state === undefined) throw new FrameError(`${word} is no state of a cache`);
  return state;
}

export function readStatus(head: Head): PrestoStatus {
  return {
    gate: readGate({ state: head['gate'], policy: 'write' }).state,
    nodes: number(head, 'nodes'),
    openFiles: number(head, 'openFiles'),
    parked: number(head, 'parked'),
    logBytes: number(head, 'logBytes'),
    binding: text(head, 'binding'),
    cache: readCacheState(text(head, 'cache')),
  };
}
