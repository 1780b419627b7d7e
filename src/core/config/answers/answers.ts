import type { Place } from '../../model/errors.js';
import type { Fileset } from '../fsetdb.js';
import type { CacheType } from '../mount-options.js';
import type { Server } from '../serverdb.js';
import type { Sysid } from '../sysid.js';

/**
 * What `izo inconfig` is told, by its prompts, by flags or by a file. An answer is all that the files shall say of that
 * host, server, fileset or mount; what no answer names stays as it is.
 */
export interface Answers {
  /** Lentos of this host: one, or one more for each further sysid file. */
  sysids: SysidAnswer[];
  servers: Server[];
  filesets: Fileset[];
  mounts: MountAnswer[];
  /** Clients that get a key and a token. */
  invitations: NameAnswer[];
  removals: Removal[];
}

/** A sysid and the name of its file in the configuration directory. */
export interface SysidAnswer extends Sysid {
  file: string;
}

/** A mount of this host: its cache, and its line in fstab. */
export interface MountAnswer {
  fileset: string;
  /** Image file or block device. */
  cache: string;
  mtpt: string;
  /** Default: the psdev of the first sysid. */
  prestodev?: string;
  cacheType: CacheType;
  /** Bytes of an image that is to be made. Undefined: the cache is there. */
  size?: number;
  /** Further options of the line in fstab. */
  options: string;
  place: Place;
}

export interface NameAnswer {
  name: string;
  place: Place;
}

/** What is no longer to be described. The caches themselves stay. */
export interface Removal extends NameAnswer {
  kind: 'server' | 'fileset' | 'mount';
}

/** The kinds of answers: flags and lines of a file. */
export const ANSWER_KINDS = ['sysid', 'server', 'fileset', 'mount', 'invite', 'remove'] as const;
export type AnswerKind = (typeof ANSWER_KINDS)[number];

/** "noauto" is what the lines of the HOWTO have. */
export const DEFAULT_OPTIONS = 'noauto';

export function noAnswers(): Answers {
  return { sysids: [], servers: [], filesets: [], mounts: [], invitations: [], removals: [] };
}
