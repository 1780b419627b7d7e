import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { decodeIdentity, IDENTITY_XATTR } from '../../src/core/cache/identity.js';
import { KmlReader } from '../../src/core/journal/index.js';
import { formatObjectId, sameStamp, type Stamp } from '../../src/core/model/ids.js';
import { displayBytes } from '../../src/core/model/names.js';
import {
  Opcode,
  stampOf,
  type CloseBody,
  type JournalRecord,
} from '../../src/core/model/records.js';
import { O_RDONLY } from '../../src/core/system/files.js';
import { openByHandle } from '../../src/core/system/handles.js';
import { Memory } from '../../src/core/system/native.js';
import { fgetxattr } from '../../src/core/system/xattrs.js';

/** Longer files are left out: they are kept in memory here. */
const BYTES_MAX = 2 ** 25;
const memory = new Memory(256);

interface Copy {
  bytes: Buffer;
  stamp: Stamp;
  body: CloseBody;
}

/**
 * What a peer would have of each file that got only the ranges which the CLOSE records name, and had the version before.
 * Where that is not the file, a record has told less than was written.
 */
export class DeltaReplica {
  readonly #root: number;
  readonly #reader: KmlReader;
  readonly #copies = new Map<string, Copy>();
  #next = 1;

  /** `lower`: the lower tree of a mounted fileset. */
  constructor(lower: string, fileset: string) {
    this.#root = openSync(lower, 'r');
    this.#reader = KmlReader.openFileset(this.#root, fileset);
  }

  /** Takes over what was closed since. Call it often: contents are read as they are now. */
  follow(): void {
    const upto = this.#reader.scan().tail.recno;
    while (this.#next <= upto) {
      const result = this.#reader.read(this.#next, { records: 1000, bytes: 2 ** 22 }, upto);
      for (const { record } of result.records) this.#take(record);
      this.#next = result.next;
    }
  }

  #take(record: JournalRecord): void {
    const { body, head } = record;
    const key = formatObjectId(head.object);
    if (body.op === Opcode.CREATE) {
      const handle = { ino: 0, generation: 0 };
      const mtime = { sec: 0, nsec: 0 };
      const close = { ...body, op: Opcode.CLOSE, size: 0, mtime, handle, ranges: [] } as const;
      this.#copies.set(key, { bytes: Buffer.alloc(0), stamp: stampOf(record), body: close });
    }
    if (body.op !== Opcode.CLOSE) return;
    const before = this.#copies.get(key)?.bytes ?? Buffer.alloc(0);
    const bytes = body.size > BYTES_MAX ? Buffer.alloc(0) : this.#patch(before, body);
    this.#copies.set(key, { bytes, stamp: stampOf(record), body });
  }

  #patch(before: Buffer, body: CloseBody): Buffer {
    const after = Buffer.alloc(body.size);
    before.copy(after);
    const ranges = body.ranges.length === 0 ? [{ offset: 0, length: body.size }] : body.ranges;
    this.#withFile(body, (fd) => {
      for (const { offset, length } of ranges) {
        const end = Math.min(body.size, offset + length);
        if (end > offset) readSync(fd, after, offset, end - offset, offset);
      }
    });
    return after;
  }

  #withFile(body: CloseBody, act: (fd: number) => void): void {
    const { ino, generation } = body.handle;
    const fd = openByHandle(this.#root, ino, generation, O_RDONLY);
    // It was removed since.
    if (fd < 0) return;
    try {
      act(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Files that are not what their records make. Those that are being written are left out. */
  differences(): string[] {
    this.follow();
    const found: string[] = [];
    for (const { bytes, stamp, body } of this.#copies.values()) {
      if (body.size > BYTES_MAX) continue;
      this.#withFile(body, (fd) => {
        const length = fgetxattr(fd, IDENTITY_XATTR, memory.address, memory.length);
        const identity = length > 0 ? decodeIdentity(memory.buffer, length) : undefined;
        if (identity === undefined || !sameStamp(identity.content, stamp)) return;
        const actual = Buffer.alloc(fstatSync(fd).size);
        readSync(fd, actual, 0, actual.length, 0);
        if (actual.equals(bytes)) return;
        const at = actual.findIndex((byte, index) => byte !== bytes[index]);
        found.push(`${displayBytes(body.path)}: byte ${at} of ${actual.length} is in no range`);
      });
    }
    return found;
  }

  close(): void {
    this.#reader.close();
    closeSync(this.#root);
  }
}
