/**
 * Every limit of izo in one place. Sizes are bytes, times are milliseconds, unless the name says otherwise.
 */
export const LIMITS = {
  /** Linux NAME_MAX. */
  nameBytes: 255,
  /**
   * A path from the fileset's root. PATH_MAX limits only what one call names: trees grow deeper by relative paths. Two of
   * these, or one and an xattr's value, fit into a record.
   */
  pathBytes: 16383,
  /** Target of a symbolic link: Linux PATH_MAX without the final NUL. */
  targetBytes: 4095,
  /** XATTR_NAME_MAX and XATTR_SIZE_MAX of Linux. */
  xattrNameBytes: 255,
  xattrValueBytes: 65536,
  /** NGROUPS_MAX is 65536; a record keeps this many at most. */
  actorGroups: 256,
  /** One journal record, whole. Two paths, an xattr value and the fixed part fit. */
  recordBytes: 128 * 1024,
  /** What a CLOSE says was written; more pieces are written as all of the file. */
  closeRanges: 1024,
  /** Contents up to this size travel inside their batch. */
  inlineContentBytes: 32 * 1024,
  /** One batch of records with its inline contents. */
  batchBytes: 512 * 1024,
  batchRecords: 512,
  /** What is shortened at a time of what a peer has missed. */
  stretchRecords: 8192,
  stretchBytes: 4 * 1024 * 1024,
  /** With fewer records it is not worth the trouble. */
  stretchLeast: 64,
  /** Batches sent and not yet acknowledged, per peer. */
  batchesInFlight: 4,
  /** One packet on the wire, header included. A batch must fit. */
  packetBytes: 2 * 1024 * 1024,
  /** One DAT packet's payload. */
  chunkBytes: 256 * 1024,
  /** Contents being fetched at once, per peer. */
  fetchesInFlight: 8,
  /** Separate ranges of one file that are fetched; more of them, and all of it is. */
  fetchRanges: 256,
  /** A larger file is fetched whole: what comes with its parts stands behind its end. */
  patchedBytes: 2 ** 40,
  /** Small files whose contents one request of a resync asks for; and the entries of a tree that it can deal with. */
  contentsPaths: 128,
  resyncEntries: 1_000_000,
  /** Names that a look at what has changed of a tree may be about, and their bytes; for more it is looked at whole. */
  resyncTouched: 4096,
  resyncTouchedBytes: 256 * 1024,
  /** Rounds in which a resync collects contents while everybody goes on, and how few missing ones are few. */
  resyncRounds: 4,
  resyncFewFiles: 64,
  /** One frame on the psdev socket. */
  frameBytes: 4 * 1024 * 1024,
  /** Upcall for the permit: after this the holder of the request goes on as disconnected. `upcall=` says otherwise. */
  upcallMs: 30_000,
  /** A silent link is probed after this, and given up after `linkLostMs`. */
  keepAliveMs: 1_500,
  linkLostMs: 5_000,
  /** Time between attempts to connect: first and longest. */
  reconnectFirstMs: 200,
  reconnectLongestMs: 5_000,
  /** Time between attempts of a replicator that has diverged, as above; half of each is left to chance. */
  divergedFirstMs: 1_000,
  divergedLongestMs: 60_000,
  /** A new holder keeps the permit at least so long, so that two busy writers both progress. */
  permitHoldMs: 20,
  /** So long it keeps it, at least, where it has yet to apply what others did before. */
  permitCatchUpMs: 1_000,
  /** A holder that does not give the permit back within this is declared disconnected. */
  permitRevokeMs: 10_000,
  /** So much of a log is kept though everybody has it, where the fileset's `history=` does not say otherwise. */
  logHistoryBytes: 64 * 1024 * 1024,
  /** Not less than this, ever: a host that a power cut has set back needs the last records once more. */
  logLeastBytes: 1024 * 1024,
  /** Time between looks at whether a log can be trimmed, and the least that makes it worth it. */
  trimEveryMs: 2_000,
  trimStepBytes: 256 * 1024,
  sysidNameBytes: 64,
  filesetNameBytes: 64,
} as const;
