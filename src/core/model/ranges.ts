import type { Range } from './records.js';

/** The same bytes as ranges in order and without overlap, within the first `size` bytes. */
export function normalRanges(ranges: readonly Range[], size: number): Range[] {
  const sorted = [...ranges].sort((a, b) => a.offset - b.offset);
  const normal: { offset: number; length: number }[] = [];
  for (const { offset, length } of sorted) {
    const end = Math.min(offset + length, size);
    if (end <= offset) continue;
    const last = normal.at(-1);
    if (last !== undefined && offset <= last.offset + last.length) {
      last.length = Math.max(last.length, end - last.offset);
    } else normal.push({ offset, length: end - offset });
  }
  return normal;
}

/** Whether a peer may ask for these: they are as `normalRanges` makes them. */
export function areNormal(ranges: readonly Range[], size: number): boolean {
  let end = -1;
  for (const { offset, length } of ranges) {
    if (offset <= end || length <= 0 || offset + length > size) return false;
    end = offset + length;
  }
  return true;
}

export function totalBytes(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { length }) => sum + length, 0);
}
