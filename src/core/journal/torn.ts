import { LIMITS } from '../model/limits.js';
import { E, must } from '../system/errno.js';
import {
  close,
  O_CREAT,
  O_NOFOLLOW,
  O_TRUNC,
  O_WRONLY,
  openat,
  pread,
  pwrite,
} from '../system/files.js';
import { Memory } from '../system/native.js';
import type { Scan } from './kml-scan.js';

type TornTail = Extract<Scan, { readonly kind: 'torn-tail' }>;

/** The name of what was cut off a KML at that byte. */
export const tornName = (offset: number): string => `kml.torn-${offset}`;

/**
 * Keeps what is about to be cut off a KML, in the fileset's directory: it is an append that a crash cut short, by all that
 * can be seen. No more than one record is not worth refusing to mount where there is no room for it.
 * @throws SystemError
 */
export function keepTorn(directory: number, kml: number, { tail, bytes }: TornTail): void {
  const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
  const fd = openat(directory, tornName(tail.offset), flags, 0o600);
  const result = fd < 0 ? fd : copy(kml, tail.offset, bytes, fd);
  if (fd >= 0) close(fd);
  if (result === -E.ENOSPC && bytes <= LIMITS.recordBytes) return;
  must('write', result, tornName(tail.offset));
}

/** @returns a negated errno where not all could be copied */
function copy(from: number, offset: number, bytes: number, to: number): number {
  const memory = new Memory(LIMITS.recordBytes);
  for (let done = 0; done < bytes;) {
    const length = Math.min(memory.length, bytes - done);
    const got = pread(from, memory.address, length, offset + done);
    if (got <= 0) return got;
    const put = pwrite(to, memory.address, got, done);
    if (put < 0) return put;
    if (put < got) return -E.ENOSPC;
    done += got;
  }
  return 0;
}
