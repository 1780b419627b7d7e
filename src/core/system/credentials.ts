import { readFileSync } from 'node:fs';

/** Bits of a capability set, linux/capability.h. */
export const Capability = { FOWNER: 3, FSETID: 4, LINUX_IMMUTABLE: 9, SYS_ADMIN: 21 } as const;

const GROUPS = /^Groups:\t(.*)$/m;
const EFFECTIVE = /^CapEff:\t([0-9a-f]+)$/m;

/**
 * What a process may do besides what its uid and gid say. FUSE tells of those two only, so this is read from /proc, and
 * asked for only where an answer depends on it. A process that cannot be seen (it has ended, or is in another pid
 * namespace) has no more groups and no capabilities.
 */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return '';
  }
}

/** Whether a process has a capability: a bit of `Capability`. */
export function isCapable({ pid }: { pid: number }, capability: number): boolean {
  return hasBit(statusOf(pid), capability);
}

/** in_group_or_capable() of Linux: who may give a file of group `gid` the set-group-id bit, and keep it there. */
export function maySetGroupId(process: { pid: number; gid: number }, gid: number): boolean {
  if (process.gid === gid) return true;
  const status = statusOf(process.pid);
  const groups = GROUPS.exec(status)?.[1]?.split(' ') ?? [];
  return groups.includes(String(gid)) || hasBit(status, Capability.FSETID);
}

function hasBit(status: string, capability: number): boolean {
  const effective = EFFECTIVE.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> BigInt(capability)) & 1n) === 1n;
}

const NAME = /^Name:\t(.*)$/m;
const PROCESS = /^Tgid:\t(\d+)$/m;

/**
 * The process of a thread and the name of its program, at most 15 bytes; undefined where it cannot be seen. Of all that
 * /proc tells this is what takes no lock that a thread may hold which waits for us in a page fault.
 */
export function processOf(thread: number): { pid: number; command: string } | undefined {
  const status = statusOf(thread);
  const pid = PROCESS.exec(status)?.[1];
  return pid === undefined
    ? undefined
    : { pid: Number(pid), command: NAME.exec(status)?.[1] ?? '' };
}
