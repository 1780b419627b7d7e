import { decodeIdentity, IDENTITY_BYTES_MAX, IDENTITY_XATTR } from '../../cache/identity.js';
import { sameObject, sameStamp, type ObjectId, type Stamp } from '../../model/ids.js';
import { stampOf, type CloseBody, type JournalRecord } from '../../model/records.js';
import { openBeneath } from '../../system/beneath.js';
import { O_PATH, O_RDONLY, close, pread } from '../../system/files.js';
import { openByHandle } from '../../system/handles.js';
import { Memory } from '../../system/native.js';
import { fgetxattr, getxattrAt } from '../../system/xattrs.js';

const identity = new Memory(IDENTITY_BYTES_MAX);

/**
 * The contents that a CLOSE record is about, read from the lower tree while presto goes on changing it. They are given
 * out only as long as the file has the record's stamp: presto takes that away before the first byte of a newer version
 * is written, so what was read between two looks at it is exactly what the record tells of.
 */
export class LowerContents {
  constructor(private readonly lowerFd: number) {}

  /** @returns a descriptor, or -1 where the contents have been superseded: a later record tells of them. */
  open(record: JournalRecord, body: CloseBody): number {
    if (body.handle.ino === 0) return -1;
    const { ino, generation } = body.handle;
    const fd = openByHandle(this.lowerFd, ino, generation, O_RDONLY);
    if (fd < 0) return -1;
    if (this.isCurrent(fd, record)) return fd;
    close(fd);
    return -1;
  }

  /** To be asked again after reading: what was read counts only if so. */
  isCurrent(fd: number, record: JournalRecord): boolean {
    const length = fgetxattr(fd, IDENTITY_XATTR, identity.address, identity.length);
    const found = length < 0 ? undefined : decodeIdentity(identity.buffer, length);
    return found !== undefined && sameStamp(found.content, stampOf(record));
  }

  /** All of a small file, or undefined where it has been superseded. */
  readWhole(record: JournalRecord, body: CloseBody): Buffer | undefined {
    const fd = this.open(record, body);
    if (fd < 0) return undefined;
    const memory = new Memory(Math.max(1, body.size));
    let done = 0;
    while (done < body.size) {
      const count = pread(fd, memory.address + done, body.size - done, done);
      if (count <= 0) break;
      done += count;
    }
    const good = done === body.size && this.isCurrent(fd, record);
    close(fd);
    return good ? memory.buffer.subarray(0, body.size) : undefined;
  }
}

/** The version of the contents of `object` where that is what stands at `path`; undefined where it does not. */
export function versionAt(lowerFd: number, path: string, object: ObjectId): Stamp | undefined {
  const fd = openBeneath(lowerFd, path, O_PATH);
  if (fd < 0) return undefined;
  const length = getxattrAt(fd, '', IDENTITY_XATTR, identity.address, identity.length);
  close(fd);
  const found = length < 0 ? undefined : decodeIdentity(identity.buffer, length);
  return found !== undefined && sameObject(found.object, object) ? found.content : undefined;
}
