import type { Range } from '../../model/records.js';
import { E } from '../../system/errno.js';
import { copyFileRange, fallocate, lseek, SEEK_DATA, SEEK_HOLE } from '../../system/files.js';

/** Copied at a stretch. */
const STEP_BYTES = 8 * 1024 * 1024;
/** FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, fallocate(2). */
const PUNCH_HOLE = 3;

/**
 * One step of making a file's bytes from `at` up to `end` those of another: data are copied, holes are made.
 * @param isNew `to` has only holes there. @returns where to go on, or a negated errno
 */
export function copyStep(
  from: number,
  to: number,
  at: number,
  end: number,
  isNew: boolean,
): number {
  const found = lseek(from, at, SEEK_DATA);
  if (found < 0 && found !== -E.ENXIO) return found;
  const data = found < 0 ? end : Math.min(found, end);
  if (data > at) {
    const made = isNew ? 0 : fallocate(to, PUNCH_HOLE, at, data - at);
    return made < 0 ? made : data;
  }
  const hole = lseek(from, at, SEEK_HOLE);
  if (hole < 0) return hole;
  const count = copyFileRange(from, at, to, at, Math.min(hole, end, at + STEP_BYTES) - at);
  if (count <= 0) return count < 0 ? count : -E.EIO;
  return at + count;
}

/** Time that copying may take from the requests of local programs, at a stretch. */
const SLICE_MS = 4;

/** Copies the first `size` bytes to an empty file, with their holes. @returns 0 or a negated errno */
export async function copyWhole(from: number, to: number, size: number): Promise<number> {
  let sliceEnd = performance.now() + SLICE_MS;
  for (let at = 0; at < size;) {
    at = copyStep(from, to, at, size, true);
    if (at < 0) return at;
    if (performance.now() < sliceEnd) continue;
    await new Promise((resume) => setImmediate(resume));
    sliceEnd = performance.now() + SLICE_MS;
  }
  return 0;
}

/** Makes those parts of the file `to` as they are in `from`. @returns 0 or a negated errno */
export function copyRanges(from: number, to: number, ranges: readonly Range[]): number {
  for (const { offset, length } of ranges) {
    const end = offset + length;
    for (let at = offset; at < end;) {
      at = copyStep(from, to, at, end, false);
      if (at < 0) return at;
    }
  }
  return 0;
}
