import type { Log } from './log.js';

/** What mount(8) knows by these names. */
export interface MountFlags {
  nosuid?: boolean;
  nodev?: boolean;
  noexec?: boolean;
  noatime?: boolean;
  nodiratime?: boolean;
  sync?: boolean;
  dirsync?: boolean;
}

/** What a binding is to mount. */
export interface MountRequest {
  /** The first field of /proc/mounts. */
  source: string;
  /** An absolute path to a directory. */
  mountPoint: string;
  readOnly: boolean;
  mountOptions?: MountFlags;
  log: Log;
}
