import {
  Opcode,
  type CloseBody,
  type Range,
  type RecordBody,
  type RenameBody,
  type SetattrBody,
  type SetxattrBody,
} from '../model/records.js';
import type { Cursor } from './cursor.js';

/** The reverse of body-encode.ts. Looks at nothing but the cursor's bounds: `bodyFault` judges the values afterwards. */

interface Made {
  mode: number;
  uid: number;
  gid: number;
}

function made(from: Cursor): Made {
  return { mode: from.u32(), uid: from.u32(), gid: from.u32() };
}

function decodeRename(from: Cursor): RenameBody {
  const flags = from.u32();
  const replaced = { replica: from.u53(), number: from.u53() };
  const replacedStamp = { replica: from.u53(), recno: from.u53() };
  const path = from.text();
  return { op: Opcode.RENAME, path, newPath: from.text(), flags, replaced, replacedStamp };
}

function decodeSetattr(from: Cursor): SetattrBody {
  const valid = from.u32();
  const { mode, uid, gid } = made(from);
  const atime = from.time();
  const mtime = from.time();
  return { op: Opcode.SETATTR, path: from.text(), valid, mode, uid, gid, atime, mtime };
}

function decodeClose(from: Cursor): CloseBody {
  const size = from.u53();
  const ino = from.u53();
  const mtime = from.time();
  const handle = { ino, generation: from.u32() };
  const mode = from.u16();
  const count = from.u16();
  const ranges: Range[] = [];
  // A count that the bytes do not bear out ends the loop at the first missing range.
  for (let i = 0; i < count && !from.overrun; i++) {
    ranges.push({ offset: from.u53(), length: from.u53() });
  }
  return { op: Opcode.CLOSE, path: from.text(), size, mtime, mode, handle, ranges };
}

function decodeSetxattr(from: Cursor): SetxattrBody {
  const flags = from.u32();
  const value = from.bytes();
  const path = from.text();
  return { op: Opcode.SETEXTATTR, path, name: from.text(), value, flags };
}

/** @returns the body, or undefined for an opcode that is none. */
export function decodeBody(opcode: number, from: Cursor): RecordBody | undefined {
  switch (opcode) {
    case Opcode.NOOP:
      return { op: opcode, replaces: from.u53() };
    case Opcode.CREATE:
    case Opcode.MKDIR: {
      const { mode, uid, gid } = made(from);
      return { op: opcode, path: from.text(), mode, uid, gid };
    }
    case Opcode.MKNOD: {
      const { mode, uid, gid } = made(from);
      const rdev = from.u53();
      return { op: opcode, path: from.text(), mode, uid, gid, rdev };
    }
    case Opcode.SYMLINK: {
      const owner = { uid: from.u32(), gid: from.u32() };
      const path = from.text();
      return { op: opcode, path, target: from.text(), ...owner };
    }
    case Opcode.LINK: {
      const path = from.text();
      return { op: opcode, path, newPath: from.text() };
    }
    case Opcode.UNLINK:
    case Opcode.RMDIR:
      return { op: opcode, path: from.text() };
    case Opcode.RENAME:
      return decodeRename(from);
    case Opcode.SETATTR:
      return decodeSetattr(from);
    case Opcode.CLOSE:
      return decodeClose(from);
    case Opcode.SETEXTATTR:
      return decodeSetxattr(from);
    case Opcode.DELEXTATTR: {
      const path = from.text();
      return { op: opcode, path, name: from.text() };
    }
    default:
      return undefined;
  }
}
