import { CONGESTION_THRESHOLD, MAX_BACKGROUND, MAX_IO_BYTES, MAX_PAGES } from './limits.js';
import {
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  InitFlag,
  InitFlag2,
  InitIn,
  InitOut,
  OLDEST_MINOR_VERSION,
} from './protocol.js';
import type { Reply } from './reply.js';
import type { Request } from './request.js';

/**
 * What we want where the kernel offers it. Left out on purpose: AUTO_INVAL_DATA, because changes are told explicitly;
 * WRITEBACK_CACHE, because the kernel would own size and times until a flush, and a CLOSE record could not name them;
 * locks, which are then local to this kernel.
 */
const WANTED =
  InitFlag.ASYNC_READ |
  InitFlag.ATOMIC_O_TRUNC |
  InitFlag.BIG_WRITES |
  InitFlag.DONT_MASK |
  InitFlag.DO_READDIRPLUS |
  InitFlag.READDIRPLUS_AUTO |
  InitFlag.PARALLEL_DIROPS |
  InitFlag.POSIX_ACL |
  InitFlag.MAX_PAGES |
  InitFlag.CACHE_SYMLINKS |
  InitFlag.EXPLICIT_INVAL_DATA |
  InitFlag.HANDLE_KILLPRIV_V2 |
  InitFlag.INIT_EXT;

const WANTED2 = InitFlag2.PASSTHROUGH;
/** Lower files are on a file system that stands on no other: what they are passed through is one layer above it. */
const STACK_DEPTH = 1;

/** What the kernel speaks. `answered`: it was given our terms. `again`: it will ask again in version 7. */
export interface Handshake {
  readonly outcome: 'answered' | 'again' | 'too-old';
  readonly version: string;
  /** It passes files through. */
  readonly passthrough: boolean;
  /** Bytes of the payload. */
  readonly payload: number;
}

/** Answers FUSE_INIT: struct fuse_init_in, struct fuse_init_out. */
export function shakeHands(request: Request, reply: Reply): Handshake {
  const major = request.u32(InitIn.major);
  const minor = request.u32(InitIn.minor);
  const version = `${major}.${minor}`;
  if (
    major < FUSE_KERNEL_VERSION ||
    (major === FUSE_KERNEL_VERSION && minor < OLDEST_MINOR_VERSION)
  ) {
    return { outcome: 'too-old', version, passthrough: false, payload: 0 };
  }
  reply.clear(0, InitOut.size);
  reply.u32(InitOut.major, FUSE_KERNEL_VERSION);
  reply.u32(InitOut.minor, FUSE_KERNEL_MINOR_VERSION);
  if (major > FUSE_KERNEL_VERSION) {
    return { outcome: 'again', version, passthrough: false, payload: InitOut.size };
  }
  reply.u32(InitOut.maxReadahead, request.u32(InitIn.maxReadahead));
  const flags = request.u32(InitIn.flags) & WANTED;
  // An older kernel's request ends before flags2.
  const flags2 = (flags & InitFlag.INIT_EXT) !== 0 ? request.u32(InitIn.flags2) & WANTED2 : 0;
  const passthrough = (flags2 & InitFlag2.PASSTHROUGH) !== 0;
  reply.u32(InitOut.flags, flags);
  reply.u32(InitOut.flags2, flags2);
  if (passthrough) reply.u32(InitOut.maxStackDepth, STACK_DEPTH);
  reply.u32(InitOut.background, MAX_BACKGROUND | (CONGESTION_THRESHOLD << 16));
  reply.u32(InitOut.maxWrite, MAX_IO_BYTES);
  // Times are kept to the nanosecond.
  reply.u32(InitOut.timeGran, 1);
  reply.u32(InitOut.maxPages, MAX_PAGES);
  return { outcome: 'answered', version, passthrough, payload: InitOut.size };
}
