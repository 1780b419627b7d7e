import type { KeyId } from '../config/index.js';
import type { MountAnswer } from '../system/mount-answer.js';

/** What a path is. */
export interface PathFacts {
  kind: 'missing' | 'file' | 'directory' | 'block' | 'other' | 'unknown';
  /** Permission bits, and the owner. */
  mode: number;
  uid: number;
  /** Bytes it seems to have, and bytes it occupies. */
  size: number;
  occupied: number;
}

export interface MountPointFacts extends PathFacts {
  /** Names in it, while nothing is mounted there. */
  names: number;
  /** The type of what is mounted there, as the kernel tells it. */
  mounted: string | undefined;
  /** Whether somebody serves it. */
  answer: MountAnswer;
}

export interface CacheFacts extends PathFacts {
  /** What blkid(8) finds: undefined where there is nothing. */
  contents: { type: string | undefined; words: string } | undefined;
  hasJournal: boolean;
  /** The filesets in it. */
  filesets: readonly string[];
  /** Where it is mounted as a plain file system, though not by presto. */
  plainMount: string | undefined;
  /** presto has it mounted. */
  isServed: boolean;
  /** Bytes free in the file system of an image. */
  room: number;
  /** Why it could not be looked at. */
  trouble: string | undefined;
}

/** What is wrong with a key that is wanted; undefined: nothing. */
export interface KeyFacts {
  id: KeyId;
  file: string;
  trouble: { code: string; message: string; remedy: string } | undefined;
}

export interface PortFacts {
  server: string;
  address: string;
  port: number;
  /** Somebody listens there. */
  isTaken: boolean;
}

/** All that the checks of a host know about it. Made by probeHost, or by a test. */
export interface HostFacts {
  isRoot: boolean;
  euid: number;
  node: string;
  addresses: readonly string[];
  hasFuse: boolean;
  hasLoop: boolean;
  missingPrograms: readonly { program: string; package: string }[];
  /** Types of mounts for which mount(8) has a helper. */
  mountHelpers: ReadonlySet<string>;
  /** Milliseconds since 1970: now, and what cannot be later than now. */
  now: number;
  newest: { what: string; at: number } | undefined;
  openFiles: number;
  runDir: string;
  stateDir: string;
  /** Whose lentos run here. */
  running: ReadonlySet<string>;
  ports: readonly PortFacts[];
  /** Configuration files and directories of izo. */
  paths: ReadonlyMap<string, PathFacts>;
  mountPoints: ReadonlyMap<string, MountPointFacts>;
  caches: ReadonlyMap<string, CacheFacts>;
  keys: readonly KeyFacts[];
  /** Names of the files in the directory of keys. */
  keyFiles: readonly string[];
}
