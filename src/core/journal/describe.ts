import { formatObjectId, formatReplicaId, formatStamp, sameStamp, NO_STAMP } from '../model/ids.js';
import { displayBytes } from '../model/names.js';
import {
  AttrMask,
  Opcode,
  opcodeName,
  stampOf,
  type JournalRecord,
  type RecordBody,
  type SetattrBody,
  type Time,
} from '../model/records.js';

/** Years that ISO 8601 writes with four digits are those that Date shows without a sign; others are told in seconds. */
const ISO_SEC_MIN = -62_167_219_200;
const ISO_SEC_MAX = 253_402_300_799;

/** `2026-01-31T12:00:00.123456789Z`. */
export function formatTime(time: Time): string {
  const fraction = String(time.nsec).padStart(9, '0');
  if (time.sec < ISO_SEC_MIN || time.sec > ISO_SEC_MAX) return `${time.sec}.${fraction}s`;
  return `${new Date(time.sec * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}

const octal = (mode: number): string => `0${mode.toString(8)}`;

/** The root is shown as a slash: nothing at all is easily overlooked. */
const show = (path: string): string => (path === '' ? '/' : displayBytes(path));

type Details = Readonly<Record<string, unknown>>;

/** A record as `izo kml dump --json` shows it. Bytes that are not UTF-8 are escaped; nothing of the value is shown. */
export function recordToJson(record: JournalRecord): Details {
  const { head, body } = record;
  return {
    recno: head.recno,
    time: formatTime(head.time),
    op: opcodeName(body.op),
    ...bodyToJson(body),
    actor: head.actor,
    origin: formatReplicaId(head.origin),
    originRecno: head.originRecno,
    object: formatObjectId(head.object),
    before: sameStamp(head.before, NO_STAMP) ? null : formatStamp(head.before),
    after: formatStamp(stampOf(record)),
  };
}

function bodyToJson(body: RecordBody): Details {
  switch (body.op) {
    case Opcode.NOOP:
      return body.replaces === 0 ? {} : { replaces: body.replaces };
    case Opcode.CREATE:
    case Opcode.MKDIR:
      return { path: show(body.path), mode: octal(body.mode), uid: body.uid, gid: body.gid };
    case Opcode.MKNOD: {
      const { uid, gid, rdev } = body;
      return { path: show(body.path), mode: octal(body.mode), uid, gid, rdev };
    }
    case Opcode.SYMLINK: {
      const { uid, gid } = body;
      return { path: show(body.path), target: displayBytes(body.target), uid, gid };
    }
    case Opcode.LINK:
      return { path: show(body.path), newPath: show(body.newPath) };
    case Opcode.UNLINK:
    case Opcode.RMDIR:
      return { path: show(body.path) };
    case Opcode.RENAME: {
      const replaces = body.replaced.number !== 0;
      return {
        path: show(body.path),
        newPath: show(body.newPath),
        flags: body.flags,
        replaced: replaces ? formatObjectId(body.replaced) : null,
        replacedVersion: replaces ? formatStamp(body.replacedStamp) : null,
      };
    }
    case Opcode.SETATTR:
      return { path: show(body.path), ...changes(body) };
    case Opcode.CLOSE: {
      const { size, handle, ranges } = body;
      const mtime = formatTime(body.mtime);
      return { path: show(body.path), size, mtime, mode: octal(body.mode), handle, ranges };
    }
    case Opcode.SETEXTATTR: {
      const { flags, value } = body;
      return { path: show(body.path), name: displayBytes(body.name), bytes: value.length, flags };
    }
    case Opcode.DELEXTATTR:
      return { path: show(body.path), name: displayBytes(body.name) };
  }
}

/** Only what a SETATTR changes. */
function changes(body: SetattrBody): Details {
  const has = (bit: number): boolean => (body.valid & bit) !== 0;
  return {
    ...(has(AttrMask.mode) && { mode: octal(body.mode) }),
    ...(has(AttrMask.uid) && { uid: body.uid }),
    ...(has(AttrMask.gid) && { gid: body.gid }),
    ...(has(AttrMask.atime) && { atime: formatTime(body.atime) }),
    ...(has(AttrMask.mtime) && { mtime: formatTime(body.mtime) }),
  };
}

/** What was done, to what, and how, a word each. */
export function describeBody(body: RecordBody): string[] {
  const what = Object.entries(bodyToJson(body)).flatMap(([name, value]) => word(name, value));
  return [opcodeName(body.op) ?? 'UNKNOWN', ...what];
}

/** One line for people: number, time, who, what, to what, and which replica's user did it. */
export function describeRecord(record: JournalRecord): string {
  const { head, body } = record;
  const { uid, gid, pid } = head.actor;
  return [
    String(head.recno),
    formatTime(head.time),
    ...describeBody(body),
    `by ${uid}:${gid} pid ${pid}`,
    `origin ${formatStamp(stampOf(record))}`,
    `saw ${sameStamp(head.before, NO_STAMP) ? '-' : formatStamp(head.before)}`,
  ].join('  ');
}

function word(name: string, value: unknown): string[] {
  if (name === 'path') return [value as string];
  if (name === 'newPath' || name === 'target') return [`-> ${value as string}`];
  if (value === null || name === 'handle' || name === 'flags') return [];
  if (name === 'ranges') return [`ranges=${(value as unknown[]).length || 'all'}`];
  return [`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`];
}
