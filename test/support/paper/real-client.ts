import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeRecord, encodeRecord } from '../../../src/core/journal/index.js';
import { readLowerObject } from '../../../src/core/lento/merging/lower-object.js';
import { MergeStage } from '../../../src/core/lento/merging/merge-stage.js';
import { PlanBuilder, type ServerObjects } from '../../../src/core/lento/merging/plan-builder.js';
import { Replica } from '../../../src/core/lento/replica.js';
import { NO_STAMP, type ObjectId, type Stamp } from '../../../src/core/model/ids.js';
import { LIMITS } from '../../../src/core/model/limits.js';
import { META_DIRECTORY } from '../../../src/core/model/names.js';
import { Opcode, type RecordBody, type RecordHead } from '../../../src/core/model/records.js';
import type { MergeFiles } from '../../../src/core/presto/peers/merge-files.js';
import { encodeMergePlan, type MergeStep } from '../../../src/core/psdev/merge-plan.js';
import { must } from '../../../src/core/system/errno.js';
import type { TornPresto } from '../torn-presto.js';
import { dataOf, recordsOf } from './carry-out.js';
import type { PaperMerge } from './cluster.js';
import { entriesOf, type Kind, type PaperTree } from './tree.js';

const FILESET = 'shared';
const PEER = 1;
const ACTOR = { uid: 0, gid: 0, pid: 0, groups: [] };
const KINDS: Readonly<Record<number, Kind>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
  0o010000: 'fifo',
};

/** Carries out merges of clients on paper with lento's plans and presto on a disk. */
export class RealClient {
  #expected = 1;
  #spent = 0;

  constructor(private readonly torn: TornPresto) {}

  /** Does on disk what was done on paper. @returns what the tree is then, as PaperTree tells it, without the root's line */
  async carryOut({ plan, replica: id, first, before, server }: PaperMerge): Promise<string[]> {
    await this.#carryOut(this.#removeAll());
    await this.#carryOut(stepsTo(before));
    const replica = this.#replica(id, plan.nextFree);
    const steps: MergeStep[] = [];
    const amendments: Buffer[] = [];
    const builder = new PlanBuilder(
      replica,
      new MergeStage(replica),
      new PaperServer(server, replica),
      first,
      plan.nextFree,
      headOf({ replica: id, number: 0 }, 0),
      {
        step: (step) => steps.push(keep(step)),
        amendment: (bytes) => amendments.push(Buffer.from(bytes)),
      },
    );
    await builder.tell(plan.amendments);
    await builder.do(plan.steps);
    builder.identify(plan.renewed);
    builder.fill();
    checkNumbers(amendments, id, first);
    await this.#carryOut(steps);
    return [...this.#walk('')].map((path) => this.#describe(path));
  }

  #replica(id: number, next: number): Replica {
    const { root, presto } = this.torn;
    const { recno } = presto.logs.kml.end;
    const hello = { version: 1, fileset: FILESET, replica: id, recno, next, lowerPath: root };
    const rest = { mountPoint: root, pid: process.pid };
    return new Replica({ ...hello, ...rest }, undefined as never, 'write');
  }

  async #carryOut(steps: readonly MergeStep[]): Promise<void> {
    const { merger, logs } = this.torn.presto;
    const end = logs.kml.end.recno;
    const next = ++this.#expected;
    const about = { peer: PEER, next, checksum: 1, replaces: end + 1, end, conflicts: [] };
    const bytes = encodeMergePlan({ head: about, steps, amendments: [] });
    const name = `plan-${++this.#spent}`;
    writeFileSync(join(this.torn.root, META_DIRECTORY, FILESET, 'stage', name), bytes);
    merger.take(name);
    try {
      await merger.finish();
    } catch (error) {
      // Else it would be gone on with.
      (Reflect.get(merger, 'files') as MergeFiles).remove();
      throw error;
    }
  }

  #removeAll(): MergeStep[] {
    return [...this.#walk('')].reverse().map((path) => {
      const { mode, object } = this.#read(path);
      const op = KINDS[mode & 0o170000] === 'directory' ? Opcode.RMDIR : Opcode.UNLINK;
      return step(headOf(object, 1), { op, path });
    });
  }

  *#walk(directory: string): Iterable<string> {
    const entries = readdirSync(join(this.torn.root, directory), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(directory, entry.name);
      if (path === META_DIRECTORY || path === 'lost+found') continue;
      yield path;
      if (entry.isDirectory()) yield* this.#walk(path);
    }
  }

  #read(path: string): NonNullable<ReturnType<typeof readLowerObject>> {
    const found = readLowerObject(this.torn.rootFd, path);
    if (found === undefined) throw new Error(`there is no ${path}`);
    return found;
  }

  /** As PaperTree.describe. */
  #describe(path: string): string {
    const { mode, uid, gid, mtime, object, content, attributes, target, xattrs } = this.#read(path);
    const kind = KINDS[mode & 0o170000] ?? 'something else';
    const data = kind === 'file' ? readFileSync(join(this.torn.root, path), 'latin1') : target;
    const attrs = `${(mode & 0o7777).toString(8)} ${uid}:${gid} ${mtime.sec}`;
    const id = ({ replica, recno }: Stamp): string => `${replica}.${recno}`;
    const version = kind === 'file' ? id(content) : '-';
    const versions = `${object.replica}:${object.number} ${version} ${id(attributes)}`;
    const all = xattrs.map(({ name, value }) => `${name}=${value.toString('latin1')}`).sort();
    return `/${path} ${kind} ${data} ${attrs} ${versions} ${all.join()}`;
  }
}

/** No record has a number that the log is yet to give, or will give to another. */
function checkNumbers(amendments: readonly Buffer[], replica: number, first: number): void {
  for (const [index, bytes] of amendments.entries()) {
    const record = decodeRecord(bytes, 0);
    assert.ok(typeof record !== 'string');
    const { origin, originRecno } = record.record.head;
    assert.ok(origin === replica && originRecno <= first + 1 + index, `${originRecno} of ${first}`);
  }
}

/** The server, as far as the plan needs it. */
class PaperServer implements ServerObjects {
  constructor(
    private readonly tree: PaperTree,
    private readonly replica: Replica,
  ) {}

  contentsOf: ServerObjects['contentsOf'] = (record) => {
    const data = dataOf(this.tree, record);
    const bytes = Buffer.from(data ?? '', 'latin1');
    const content = data === undefined ? 'none' : 'inline';
    return Promise.resolve({ record: Buffer.alloc(0), content, data: bytes });
  };

  fetch: ServerObjects['fetch'] = (serverPath, name) =>
    this.fetchTo(serverPath, this.replica.stagePath(name));

  fetchTo: ServerObjects['fetchTo'] = (serverPath, file) => {
    const entry = entriesOf(this.tree).find(({ path }) => path === serverPath);
    if (entry === undefined) throw new Error(`the server has no ${serverPath}`);
    writeFileSync(file, this.tree.get(serverPath).data, 'latin1');
    return Promise.resolve(entry);
  };
}

function headOf(object: ObjectId, originRecno: number): RecordHead {
  const time = { sec: 0, nsec: 0 };
  return { recno: 1, origin: PEER, originRecno, time, actor: ACTOR, object, before: NO_STAMP };
}

function step(head: RecordHead, body: RecordBody, data?: string): MergeStep {
  const record = Buffer.alloc(LIMITS.recordBytes);
  const length = must('encode', encodeRecord(record, 0, 1, 0, head, body));
  const content = data === undefined ? 'none' : 'inline';
  const bytes = Buffer.from(data ?? '', 'latin1');
  return { type: 'apply', item: { record: record.subarray(0, length), content, data: bytes } };
}

/** What makes the tree, where there is nothing. */
function stepsTo(tree: PaperTree): MergeStep[] {
  const first = new Map<unknown, string>();
  const steps: MergeStep[] = [];
  const touches: MergeStep[] = [];
  let recno = 1_000_000;
  for (const [path, object] of tree.walk()) {
    touches.push({ type: 'touch', path, time: object.mtime });
    if (path === '') continue;
    const there = first.get(object);
    if (there !== undefined) {
      steps.push(step(headOf(object.id, ++recno), { op: Opcode.LINK, path: there, newPath: path }));
      continue;
    }
    first.set(object, path);
    for (const { head, body } of recordsOf(object, path, () => headOf(object.id, ++recno))) {
      steps.push(step(head, body, body.op === Opcode.CLOSE ? object.data : undefined));
    }
    const { id, content, attributes } = object;
    steps.push({ type: 'identity', path, object: id, content, attributes, bare: false });
  }
  return [...steps, ...touches];
}

/** The builder writes its next record where this one is. */
function keep(step: MergeStep): MergeStep {
  if (step.type !== 'apply') return step;
  return { ...step, item: { ...step.item, record: Buffer.from(step.item.record) } };
}
