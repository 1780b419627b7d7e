import { LIMITS } from '../../model/limits.js';
import type { Time } from '../../model/records.js';

/** Room for what makes a taken name free: `-` and a number. */
const COUNTER_BYTES = 8;

/**
 * The name of a version that lost its own: `name.conflict-HOST-TIME`, TIME being when that version was made, in UTC, as
 * 20261122-235901. All hosts come to the same name, as it depends on nothing else.
 * @param name bytes, one a character
 */
export function conflictName(name: string, host: string, time: Time): string {
  const suffix = `.conflict-${host}-${timeText(time)}`;
  const room = LIMITS.nameBytes - suffix.length - COUNTER_BYTES;
  return shorten(name, room) + suffix;
}

function timeText({ sec }: Time): string {
  const date = new Date(sec * 1000);
  // Outside of what Date can hold (8.64e15 ms), the number itself is as good a name.
  if (Number.isNaN(date.getTime())) return String(sec);
  return date
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/[-:]/g, '')
    .replace('T', '-');
}

/** Cuts bytes off, but not through a UTF-8 character. */
function shorten(name: string, bytes: number): string {
  if (name.length <= bytes) return name;
  let end = bytes;
  while (end > 0 && (name.charCodeAt(end) & 0xc0) === 0x80) end--;
  return name.slice(0, end);
}
