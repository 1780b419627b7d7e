import { closeSync, openSync, readFileSync } from 'node:fs';
import { decodeIdentity, IDENTITY_XATTR } from '../../src/core/cache/identity.js';
import { KmlReader, type DecodedRecord } from '../../src/core/journal/index.js';
import { sameStamp } from '../../src/core/model/ids.js';
import { Opcode, stampOf } from '../../src/core/model/records.js';
import type { RemoteItem } from '../../src/core/presto/applier.js';
import type { Contents } from '../../src/core/presto/peer-contents.js';
import { O_RDONLY } from '../../src/core/system/files.js';
import { openByHandle } from '../../src/core/system/handles.js';
import { Memory } from '../../src/core/system/native.js';
import { fgetxattr } from '../../src/core/system/xattrs.js';
import { FILESET } from './mounted-host.js';

const memory = new Memory(100);

/** Records `from` and later of a lower tree, with contents where the disk still has them: as a lento sends them. */
export function recordsOf(root: string, from: number): RemoteItem[] {
  const fd = openSync(root, 'r');
  const reader = KmlReader.openFileset(fd, FILESET);
  try {
    const upto = reader.tail().recno;
    const { records } = reader.read(from, { records: 10_000, bytes: 2 ** 26 }, upto);
    return records.map((decoded) => ({
      record: decoded.record,
      checksum: decoded.checksum,
      contents: contentsOf(fd, decoded),
    }));
  } finally {
    reader.close();
    closeSync(fd);
  }
}

function contentsOf(root: number, { record }: DecodedRecord): Contents | undefined {
  const { body } = record;
  if (body.op !== Opcode.CLOSE) return undefined;
  const fd = openByHandle(root, body.handle.ino, body.handle.generation, O_RDONLY);
  if (fd < 0) return undefined;
  try {
    const length = fgetxattr(fd, IDENTITY_XATTR, memory.address, memory.length);
    const identity = decodeIdentity(memory.buffer, length);
    if (identity === undefined || !sameStamp(identity.content, stampOf(record))) return undefined;
    return { kind: 'inline', data: readFileSync(fd) };
  } finally {
    closeSync(fd);
  }
}
