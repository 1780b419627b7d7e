import {
  FUSE_MAJOR,
  FUSE_MINOR,
  FUSE_MINOR_MIN,
  Init,
  INIT_OUT_BYTES,
  MAX_PAGES,
  MAX_WRITE,
} from './protocol.js';
import type { Reply } from './reply.js';
import type { Request } from './request.js';

/**
 * What is asked of the kernel. Not WRITEBACK_CACHE: sizes and times must be the lower tree's at every moment. Not
 * AUTO_INVAL_DATA: a changed mtime does not mean changed contents here, peers' updates are invalidated explicitly.
 */
const WANTED =
  Init.ASYNC_READ |
  Init.ATOMIC_O_TRUNC |
  Init.BIG_WRITES |
  Init.DO_READDIRPLUS |
  Init.READDIRPLUS_AUTO |
  Init.PARALLEL_DIROPS |
  Init.MAX_PAGES |
  Init.CACHE_SYMLINKS |
  Init.EXPLICIT_INVAL_DATA |
  Init.HANDLE_KILLPRIV_V2;

/** Background requests (readahead, writeback) that the kernel may have under way, and when it calls itself congested. */
const MAX_BACKGROUND = 64;
const CONGESTION = 48;

/**
 * Answers struct fuse_init_in with struct fuse_init_out.
 * @returns the length of the body, or why this kernel will not do.
 */
export function answerInit(q: Request, r: Reply): number | string {
  const major = q.u32(0);
  const minor = q.u32(1);
  if (major !== FUSE_MAJOR || minor < FUSE_MINOR_MIN) {
    return `the kernel speaks FUSE ${major}.${minor}, izo needs ${FUSE_MAJOR}.${FUSE_MINOR_MIN} (Linux 5.4) or later`;
  }
  const offered = q.u32(3);
  for (let at = 0; at < INIT_OUT_BYTES; at += 4) r.u32(at, 0);
  r.u32(0, FUSE_MAJOR);
  r.u32(4, Math.min(minor, FUSE_MINOR));
  r.u32(8, q.u32(2));
  r.u32(12, (offered & WANTED) >>> 0);
  r.u32(16, MAX_BACKGROUND | (CONGESTION << 16));
  r.u32(20, MAX_WRITE);
  // Times have nanoseconds.
  r.u32(24, 1);
  r.u32(28, MAX_PAGES);
  return INIT_OUT_BYTES;
}
