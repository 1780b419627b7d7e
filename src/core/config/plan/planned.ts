import type { Place } from '../../model/errors.js';
import type { Fileset } from '../fsetdb.js';
import type { Problem } from '../problem.js';
import type { Server } from '../serverdb.js';
import type { Sysid } from '../sysid.js';
import type { FstabMount } from './fstab-edit.js';

/** A file that changes. */
export interface PlannedFile {
  path: string;
  /** Undefined: there is no such file. */
  before: string | undefined;
  after: string;
}

/** A mount that was answered, with all that an answer may leave out. */
export interface PlannedMount extends FstabMount {
  /** Bytes of the image to be made; undefined: the cache is there. */
  size: number | undefined;
  place: Place;
}

/** The names of a client and a server that need a key of their own. */
export interface Pair {
  client: string;
  server: string;
  /** Both are lentos of this host, and share the key's file. */
  isLocal: boolean;
  /** The client gets a token. */
  isInvited: boolean;
}

/** What is to be done, all of it valid. */
export interface Plan {
  configDir: string;
  files: PlannedFile[];
  /** All of this host, after the change. */
  sysids: ReadonlyMap<string, Sysid>;
  servers: readonly Server[];
  filesets: readonly Fileset[];
  /** Those that were answered. */
  mounts: PlannedMount[];
  pairs: Pair[];
  warnings: Problem[];
}
