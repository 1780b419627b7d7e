import { E, must } from '../system/errno.js';
import { lseek, SEEK_DATA, SEEK_HOLE } from '../system/files.js';

/** A part of a file in which there are data, from `offset` up to `end`, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly end: number;
}

/**
 * The parts of a file's first `size` bytes that are no holes, in order. Where the file system knows of no holes, that is
 * all of it. @throws SystemError
 */
export function* dataExtents(fd: number, size: number): Generator<Extent, void, undefined> {
  for (let from = 0; from < size;) {
    const offset = lseek(fd, from, SEEK_DATA);
    // No data from there on: the rest is a hole, or beyond the end.
    if (offset === -E.ENXIO) return;
    if (must('lseek', offset) >= size) return;
    const end = Math.min(size, must('lseek', lseek(fd, offset, SEEK_HOLE)));
    yield { offset, end };
    from = end;
  }
}
