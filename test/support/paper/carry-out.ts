import { NO_STAMP, type Stamp } from '../../../src/core/model/ids.js';
import {
  AttrMask,
  Opcode,
  stampOf,
  type JournalRecord,
  type RecordBody,
  type RecordHead,
} from '../../../src/core/model/records.js';
import type { Merge } from '../../../src/core/replication/merge/merge.js';
import type { MergeObject } from '../../../src/core/replication/merge/merge-object.js';
import type { Amendment, ClientStep } from '../../../src/core/replication/merge/outcome.js';
import { EPOCH, type PaperObject, type PaperTree } from './tree.js';

export interface CarriedOut {
  /** Contents that were put away. */
  readonly stored: string[];
  /** What the server is to be told, and logs then. */
  readonly told: JournalRecord[];
  /** The last number of the client's log that was given away. */
  readonly recno: number;
}

/** Carries a merge out on paper, as lento and presto do to the client's tree. */
export function carryOut(
  merge: Merge,
  client: PaperTree,
  server: PaperTree,
  replica: number,
): CarriedOut {
  const stored: string[] = [];
  const serverBefore = server.copy();
  const anew = new Map<MergeObject, JournalRecord[]>();
  let recno = merge.nextFree - 1;
  const told = merge.amendments.flatMap((amendment) => {
    if (amendment.type === 'record') return [recordOf(amendment)];
    const as = amendment.type === 'copy' ? amendment.as : amendment.object;
    const object = found(amendment, client);
    const reserve = (): RecordHead => ({
      ...amendment.head,
      origin: replica,
      originRecno: ++recno,
      object: as.id,
      before: NO_STAMP,
    });
    const records = recordsOf(object, amendment.path, reserve);
    anew.set(as, records);
    return records;
  });
  for (const step of merge.steps) doStep(step, client, serverBefore, stored, anew);
  for (const { object, path } of merge.renewed) {
    Object.assign(client.get(path), { id: object.id, ...versions(anew.get(object) ?? []) });
  }
  return { stored, told, recno };
}

function recordOf({ head, body }: JournalRecord): JournalRecord {
  return { head, body };
}

function found(amendment: Exclude<Amendment, { type: 'record' }>, client: PaperTree): PaperObject {
  const { disk } = amendment.type === 'copy' ? amendment.of : amendment.object;
  if (disk === undefined) throw new Error(`the client has nothing for ${amendment.path}`);
  return client.get(disk);
}

/** The records that make an object anew. */
export function recordsOf(
  object: PaperObject,
  path: string,
  head: () => RecordHead,
): JournalRecord[] {
  const { id, kind, data, mode, mtime, xattrs } = object;
  const record = (body: RecordBody): JournalRecord => ({ head: head(), body });
  const records = [record(makingOf(object, path))];
  for (const [name, value] of xattrs) {
    const bytes = Buffer.from(value, 'latin1');
    records.push(record({ op: Opcode.SETEXTATTR, path, name, value: bytes, flags: 0 }));
  }
  if (kind === 'file') {
    const handle = { ino: id.number * 8 + id.replica, generation: 0 };
    const what = { size: data.length, mtime, mode, handle, ranges: [] };
    records.push(record({ op: Opcode.CLOSE, path, ...what }));
  } else {
    const nothing = { mode: 0, uid: 0, gid: 0, atime: EPOCH };
    records.push(record({ op: Opcode.SETATTR, path, valid: AttrMask.mtime, ...nothing, mtime }));
  }
  return records;
}

function makingOf({ kind, mode, uid, gid, target }: PaperObject, path: string): RecordBody {
  switch (kind) {
    case 'file':
      return { op: Opcode.CREATE, path, mode, uid, gid };
    case 'directory':
      return { op: Opcode.MKDIR, path, mode, uid, gid };
    case 'symlink':
      return { op: Opcode.SYMLINK, path, target, uid, gid };
    case 'fifo':
      return { op: Opcode.MKNOD, path, mode, uid, gid, rdev: 0 };
  }
}

/** The versions that an object has after the records that made it. */
function versions(records: readonly JournalRecord[]): { content: Stamp; attributes: Stamp } {
  const [made] = records;
  if (made === undefined) throw new Error('an object without records');
  const closed = records.findLast(({ body }) => body.op === Opcode.CLOSE) ?? made;
  const set = records.findLast(({ body }) => body.op !== Opcode.CLOSE) ?? made;
  return { content: stampOf(closed), attributes: stampOf(set) };
}

function doStep(
  step: ClientStep,
  client: PaperTree,
  server: PaperTree,
  stored: string[],
  anew: ReadonlyMap<MergeObject, readonly JournalRecord[]>,
): void {
  switch (step.type) {
    case 'record':
      client.apply(recordOf(step), dataOf(server, step));
      return;
    case 'fetch':
      client.put(step.path, alone(server.get(step.serverPath)), EPOCH);
      return;
    case 'become': {
      const object = client.get(step.path);
      object.id = step.object.id;
      object.content = step.content;
      object.xattrs.clear();
      return;
    }
    case 'copy': {
      const { data } = client.get(step.from);
      for (const { head, body } of anew.get(step.as) ?? []) {
        client.apply({ head, body: { ...body, path: step.path } } as JournalRecord, data);
      }
      return;
    }
    case 'store':
      stored.push(client.get(step.path).data);
      return;
    case 'store-of-server':
      stored.push(server.get(step.serverPath).data);
      return;
    case 'touch':
      client.get(step.path).mtime = step.time;
      return;
  }
}

/** The contents that go with a record, as long as its maker, or who passes it on, still has that version. */
export function dataOf(maker: PaperTree, { head, body }: JournalRecord): string | undefined {
  if (body.op !== Opcode.CLOSE) return undefined;
  const object = maker.byId(head.object);
  const isThat =
    object?.content.replica === head.origin && object.content.recno === head.originRecno;
  return isThat ? object.data : undefined;
}

function alone(object: PaperObject): PaperObject {
  return { ...object, children: new Map(), xattrs: new Map(object.xattrs) };
}
