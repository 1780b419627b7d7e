/** A process's ids, none of which anybody has on any host. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly groups?: readonly number[];
}

/**
 * Runs `act`, which must not be asynchronous, as another user: with his effective ids, his supplementary groups and none
 * of root's capabilities.
 */
export function asUser<T>({ uid, gid, groups = [] }: User, act: () => T): T {
  const before = process.getgroups?.() ?? [];
  process.setgroups?.([...groups]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(before);
  }
}

export function withUmask<T>(umask: number, act: () => T): T {
  const before = process.umask(umask);
  try {
    return act();
  } finally {
    process.umask(before);
  }
}
