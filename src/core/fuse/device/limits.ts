/** The device binding's limits and time-outs in one place. Sizes are bytes. */

/** Data of one READ or WRITE: 256 pages, the most that the kernel sends by default. */
export const MAX_IO_BYTES = 1024 * 1024;
export const MAX_PAGES = 256;
/** One message with its header and arguments. The kernel refuses to fill less than max_write and both. */
export const MESSAGE_BYTES = MAX_IO_BYTES + 4096;

/**
 * How long the kernel may believe what it was told, in seconds. Long, because whatever changes behind its back is
 * invalidated explicitly; not for ever, so that a lost invalidation heals.
 */
export const CACHE_SECONDS = {
  entry: 86_400,
  attributes: 86_400,
  negative: 86_400,
  /**
   * Attributes of an object that the kernel has known before, in the answers to LINK and SETATTR: it takes them over when
   * the program runs again, whatever it was told in between (fuse_iget and fuse_do_setattr get no attr_version). Believed
   * for long they could hide a peer's update that came right after the answer.
   */
  changed: 0,
} as const;

/** Requests that the kernel may have outstanding for readahead and write-back. */
export const MAX_BACKGROUND = 256;
export const CONGESTION_THRESHOLD = 192;

/** After so much the event loop serves others: sockets, timers. */
export const TURN_REQUESTS = 256;
export const TURN_MS = 5;

/**
 * Before presto sleeps, see Lingering: for how long the device is looked at; waits in a trial of looking or of sleeping,
 * and in a round, which begins with these two; what counts at the most of a wait, as the machine may have been taken
 * away for some time: so long others want the processor; how often in a round is enough of that; and how many rounds
 * without trials follow at the most. Long enough for a processor to be woken, short enough to be no burden.
 */
export const LINGERING = {
  lookMs: 0.2,
  trial: 32,
  round: 1024,
  longMs: 0.5,
  crowds: 2,
  restMax: 15,
} as const;

/** Parked requests are kept up to here; then the device is not read until they are resumed. */
export const PARKED_REQUESTS = 1024;
export const PARKED_BYTES = 64 * 1024 * 1024;

/** Notifications that wait in the kernel at once. One thread of libuv's four stays free for others. */
export const NOTIFICATIONS_AT_ONCE = 3;
/** An inode that the kernel is about to make is there soon. */
export const UNBORN_MS = 1;
/** FUSE_NAME_MAX of older kernels: longer names are refused. */
export const NAME_BYTES = 1024;
