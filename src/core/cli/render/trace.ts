import { displayBytes } from '../../model/names.js';
import type { MountedState } from '../../presto/mounting/mounted-state.js';
import type { TraceEvent, WaitReason } from '../../psdev/trace.js';
import type { Names } from './history.js';

/** One operation as `izo trace --json` prints it. */
export interface TracedOperation extends Omit<TraceEvent, 'time'> {
  /** ISO 8601, to the microsecond. */
  readonly time: string;
  readonly fileset: string;
  readonly mountPoint: string;
  readonly user: string;
}

export function toTraced(event: TraceEvent, state: MountedState, names: Names): TracedOperation {
  const { fileset, mountPoint } = state;
  return {
    ...event,
    time: isoOf(event.time),
    fileset,
    mountPoint,
    path: event.path === null ? null : displayBytes(event.path),
    to: event.to === null ? null : displayBytes(event.to),
    command: displayBytes(event.command),
    user: names.user(event.uid),
    waitedMs: rounded(event.waitedMs),
    ms: rounded(event.ms),
  };
}

/** To the microsecond. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

function isoOf(ms: number): string {
  const micros = Math.floor((ms % 1) * 1000);
  return new Date(ms).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}

/** `12:00:00.123456`, of this place. */
function clockOf(time: string): string {
  const date = new Date(time);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':');
  return `${clock}${time.slice(19, 26)}`;
}

const REASONS: Readonly<Record<WaitReason, string>> = {
  permit: 'the permit',
  merge: 'a merge to be done',
  'write-back': 'pages to be written',
};

/** One line for people: when, how long, what, with which result, where, who, and what it had to wait for. */
export function renderTraced(traced: TracedOperation): string {
  const { state, ms, operation, error, mountPoint, command, pid, user, byKernel } = traced;
  const place = (path: string): string => (path === '' ? mountPoint : `${mountPoint}/${path}`);
  const to = traced.to === null ? '' : ` -> ${place(traced.to)}`;
  const words = [
    clockOf(traced.time),
    `${ms.toFixed(3)} ms`.padStart(13),
    operation.padEnd(10),
    (state === 'waits' ? 'WAITS' : (error ?? 'ok')).padEnd(9),
    (traced.path === null ? '(without a name)' : place(traced.path)) + to,
  ];
  if (traced.bytes > 0) words.push(`${traced.bytes} B`);
  words.push(pid === 0 ? 'by the kernel' : `by ${command}[${pid}] ${user}`);
  if (traced.waitedFor !== null) words.push(waiting(traced, traced.waitedFor));
  if (byKernel) words.push('read by the kernel from now on');
  return words.join('  ');
}

function waiting({ state, waitedMs }: TracedOperation, reason: WaitReason): string {
  if (state === 'waits') return `for ${REASONS[reason]}`;
  return `after ${waitedMs.toFixed(3)} ms for ${REASONS[reason]}`;
}
