import { closeSync, openSync, readFileSync } from 'node:fs';
import { decodeIdentity, IDENTITY_XATTR } from '../../src/core/cache/identity.js';
import { KmlReader, type DecodedRecord } from '../../src/core/journal/index.js';
import { sameStamp } from '../../src/core/model/ids.js';
import { NO_STRETCH } from '../../src/core/model/position.js';
import { Opcode, stampOf } from '../../src/core/model/records.js';
import type { Applier, RemoteItem } from '../../src/core/presto/peers/applier.js';
import type { Contents } from '../../src/core/presto/peers/peer-contents.js';
import { O_RDONLY } from '../../src/core/system/files.js';
import { openByHandle } from '../../src/core/system/handles.js';
import { Memory } from '../../src/core/system/native.js';
import { fgetxattr } from '../../src/core/system/xattrs.js';
import { FILESET } from './mounted-host.js';
import type { TornPresto } from './torn-presto.js';

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

/** Puts a peer's records in place, as presto does when its lento hands them over. */
export async function applyItems(
  { presto }: TornPresto,
  from: TornPresto,
  items: readonly RemoteItem[],
  log: boolean,
): Promise<Awaited<ReturnType<Applier['apply']>>> {
  const last = items.at(-1);
  const recno = (last?.record.head.recno ?? 0) + 1;
  const next = { recno, checksum: last?.checksum ?? 0, stretch: NO_STRETCH };
  return presto.applier.apply(from.presto.logs.replica, items, next, log);
}

/**
 * Puts in place what the peer has done since. `log`: as a server does. `further`: by so much the numbers in the peer's log are
 * beyond those of its updates, as after a merge.
 */
export async function applyNews(
  host: TornPresto,
  from: TornPresto,
  log = false,
  further = 0,
): Promise<Awaited<ReturnType<Applier['apply']>>> {
  const expected = host.presto.applier.expected(from.presto.logs.replica);
  const items = recordsOf(from.root, Math.max(1, expected - further)).map((item) => {
    const { head, body } = item.record;
    return { ...item, record: { head: { ...head, recno: head.recno + further }, body } };
  });
  return applyItems(host, from, items, log);
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
