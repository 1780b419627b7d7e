import type { Time } from './records.js';

/** ISO 8601 in UTC, to the second; undefined for a time beyond what Date can hold (8.64e15 ms), which a record may have. */
export function isoOf({ sec }: Time): string | undefined {
  const date = new Date(sec * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace('.000Z', 'Z');
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** For people: the largest unit that fits and the next one, `2 h 5 min`; `0 s` for less than a second, and for the future. */
export function formatDuration(seconds: number): string {
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  const unit = UNITS[first];
  if (unit === undefined) return `${Math.max(0, Math.floor(seconds))} s`;
  const [name, size] = unit;
  const whole = Math.floor(seconds / size);
  const [nextName, nextSize] = UNITS[first + 1] ?? ['s', 1];
  const rest = Math.floor((seconds - whole * size) / nextSize);
  return rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${nextName}`;
}
