import { FrameError } from './frames.js';
import { number, text } from './messages.js';

/**
 * What presto tells commands of the operations that it serves. Request of a command: `trace` (TraceFilter) -> {}; notices
 * of presto after that: `traced` {events, dropped}.
 */

/** Why an operation could not be done at once: the permit was asked for, the tree was being merged, dirty pages had to come. */
export type WaitReason = 'permit' | 'merge' | 'write-back';

/** All that is told of, by its name. */
export const TRACED_OPERATIONS = [
  ...['lookup', 'getattr', 'setattr', 'readlink', 'symlink', 'mknod', 'mkdir', 'unlink', 'rmdir'],
  ...['rename', 'link', 'open', 'create', 'read', 'write', 'flush', 'release', 'fsync', 'statfs'],
  ...['setxattr', 'getxattr', 'listxattr', 'removexattr', 'opendir', 'readdir', 'releasedir'],
  ...['fsyncdir', 'ioctl', 'fallocate', 'lseek', 'copy_file_range', 'syncfs'],
];

/** One operation. Names are bytes; times are milliseconds. */
export interface TraceEvent {
  /** When it came, since 1970. */
  readonly time: number;
  readonly operation: string;
  /** From the fileset's root, which is the empty path; null for what has no name any more. */
  readonly path: string | null;
  /** Where a rename, a link or a copy goes. */
  readonly to: string | null;
  /** Who asks: process, thread and program; 0 and an empty name where the kernel does not say. */
  readonly pid: number;
  readonly thread: number;
  readonly command: string;
  readonly uid: number;
  readonly gid: number;
  /** `waits`: it has begun to wait; there is another event when it is done. */
  readonly state: 'waits' | 'done';
  readonly waitedFor: WaitReason | null;
  readonly waitedMs: number;
  /** From when it came until it was answered, or until now. */
  readonly ms: number;
  /** `ENOENT`; null where it succeeded. */
  readonly error: string | null;
  /** Read, written or copied. */
  readonly bytes: number;
  /** The kernel reads the opened file itself from now on: none of that is seen. */
  readonly byKernel: boolean;
}

/** Which operations a command wants to see; without any wish, all of them. */
export interface TraceFilter {
  /** This one and what is below it. */
  readonly path?: string;
  readonly operations?: readonly string[];
  readonly pid?: number;
  readonly uid?: number;
  /** Only what takes so long. */
  readonly slowMs?: number;
  readonly errors?: boolean;
  /** The command itself: what it writes into the mount would never end. */
  readonly except?: number;
}

type Head = Readonly<Record<string, unknown>>;

/** @throws FrameError */
export function readTraceFilter(head: Head): TraceFilter {
  const { path, operations, pid, uid, slowMs, errors, except } = head;
  const has = (value: unknown): boolean => value !== undefined;
  return {
    ...(has(path) && { path: text(head, 'path') }),
    ...(has(operations) && { operations: words(operations) }),
    ...(has(pid) && { pid: number(head, 'pid') }),
    ...(has(uid) && { uid: number(head, 'uid') }),
    ...(has(slowMs) && { slowMs: number(head, 'slowMs') }),
    ...(has(except) && { except: number(head, 'except') }),
    errors: errors === true,
  };
}

function words(value: unknown): string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw new FrameError('operations is no list of words');
}

export function isWantedEvent(event: TraceEvent, filter: TraceFilter): boolean {
  const { path, operations, pid, uid, slowMs, errors, except } = filter;
  return (
    (pid === undefined || event.pid === pid) &&
    (uid === undefined || event.uid === uid) &&
    (except === undefined || event.pid !== except) &&
    (operations === undefined || operations.includes(event.operation)) &&
    (errors !== true || event.error !== null) &&
    (slowMs === undefined || (event.state === 'done' && event.ms >= slowMs)) &&
    (path === undefined || isAtOrBelow(event.path, path) || isAtOrBelow(event.to, path))
  );
}

function isAtOrBelow(path: string | null, top: string): boolean {
  return path !== null && (top === '' || path === top || path.startsWith(`${top}/`));
}
