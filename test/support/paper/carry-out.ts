import type { ObjectId, Stamp } from '../../../src/core/model/ids.js';
import { Opcode, stampOf, type JournalRecord } from '../../../src/core/model/records.js';
import type { Merge } from '../../../src/core/replication/merge/merge.js';
import type { Amendment, ClientStep } from '../../../src/core/replication/merge/outcome.js';
import { newObject, type PaperObject, type PaperTree } from './tree.js';

/** Carries a merge out on paper: the client's steps, then what the server is told. @returns what was put away. */
export function carryOut(
  merge: Merge,
  client: PaperTree,
  server: PaperTree,
  replica: number,
): string[] {
  const stored: string[] = [];
  const serverBefore = server.copy();
  const clientBefore = client.copy();
  for (const step of merge.steps) doStep(step, client, serverBefore, stored, replica);
  let free = merge.nextFree;
  for (const amendment of merge.amendments) {
    free = tell(amendment, [client, clientBefore], server, replica, free);
  }
  return stored;
}

function doStep(
  step: ClientStep,
  client: PaperTree,
  server: PaperTree,
  stored: string[],
  replica: number,
): void {
  switch (step.type) {
    case 'record': {
      const record: JournalRecord = step;
      const data = record.body.op === Opcode.CLOSE ? dataOf(server, record) : undefined;
      client.apply(record, data);
      return;
    }
    case 'fetch':
      client.put(step.path, alone(server.get(step.serverPath)), { sec: 0, nsec: 0 });
      return;
    case 'become': {
      const object = client.get(step.path);
      object.id = step.object.id;
      object.content = step.content;
      object.xattrs.clear();
      return;
    }
    case 'copy': {
      const stamp = { replica, recno: step.as.id.number };
      const copy = { ...alone(client.get(step.from)), id: step.as.id };
      client.put(step.path, { ...copy, content: stamp, attributes: stamp }, { sec: 0, nsec: 0 });
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

/** The contents of a record, as long as its maker still has that version. */
function dataOf(maker: PaperTree, record: JournalRecord): string | undefined {
  const object = maker.byId(record.head.object);
  const stamp = stampOf(record);
  const isThat = object?.content.replica === stamp.replica && object.content.recno === stamp.recno;
  return isThat ? object.data : undefined;
}

function alone(object: PaperObject): PaperObject {
  return { ...object, children: new Map(), xattrs: new Map(object.xattrs) };
}

/** @returns the number that is free then */
function tell(
  amendment: Amendment,
  [client, before]: [PaperTree, PaperTree],
  server: PaperTree,
  replica: number,
  free: number,
): number {
  if (amendment.type === 'record') {
    const record: JournalRecord = amendment;
    const data = record.body.op === Opcode.CLOSE ? dataOf(client, record) : undefined;
    server.apply(record, data);
    return free;
  }
  const { path, head } = amendment;
  const id: ObjectId = amendment.type === 'copy' ? amendment.as.id : amendment.object.id;
  // What leaves the tree in the end has passed through the server's all the same.
  const mine = client.byId(id) ?? before.byId(id);
  if (mine === undefined) throw new Error(`the client has nothing for ${path}`);
  const stamp: Stamp = { replica, recno: amendment.type === 'copy' ? id.number : free };
  const made = newObject(mine.kind, id, stamp, mine.mtime, mine.target);
  const { data, mode, uid, gid, mtime, xattrs } = mine;
  Object.assign(made, { data, mode, uid, gid, mtime, xattrs: new Map(xattrs) });
  Object.assign(mine, { content: stamp, attributes: stamp });
  server.put(path, made, head.time);
  return free + 1;
}
