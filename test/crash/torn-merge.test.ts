import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { encodeRecord, KmlReader } from '../../src/core/journal/index.js';
import { readLowerObject } from '../../src/core/lento/merging/lower-object.js';
import { NO_OBJECT, NO_STAMP, type ObjectId } from '../../src/core/model/ids.js';
import { LIMITS } from '../../src/core/model/limits.js';
import { Opcode, type RecordBody } from '../../src/core/model/records.js';
import type { Presto } from '../../src/core/presto/presto.js';
import { encodeMergePlan, type MergeStep } from '../../src/core/psdev/merge-plan.js';
import { must } from '../../src/core/system/errno.js';
import { Names } from '../support/operations-by-name.js';
import { newEntry, ROOT, TornPresto } from '../support/torn-presto.js';

const PEER = 0x5e4;
const MOMENTS_MAX = 300;
const TIME = { sec: 1_000_000_000, nsec: 5 };

function record(recno: number, object: ObjectId, body: RecordBody, origin = PEER): Buffer {
  const buffer = Buffer.alloc(LIMITS.recordBytes);
  const actor = { uid: 0, gid: 0, pid: 1, groups: [] };
  const about = { time: TIME, actor, object, before: NO_STAMP };
  const head = { origin, originRecno: recno, ...about };
  const length = must('encode', encodeRecord(buffer, 0, recno, 0, head, body));
  return buffer.subarray(0, length);
}

/** Two names that change places, what comes, goes and is rewritten, and all that is no record. */
function planFor(presto: Presto, root: string, at: string, first: number): Buffer {
  const rootFd = openSync(root, 'r');
  const idOf = (name: string): ObjectId =>
    readLowerObject(rootFd, `${at}/${name}`)?.object ?? NO_OBJECT;
  let recno = first;
  const apply = (object: ObjectId, body: RecordBody, data?: string): MergeStep => {
    const content = data === undefined ? 'none' : 'inline';
    const bytes = Buffer.from(data ?? '');
    return { type: 'apply', item: { record: record(++recno, object, body), content, data: bytes } };
  };
  const move = (object: ObjectId, path: string, newPath: string): MergeStep => {
    const nothing = { flags: 0, replaced: NO_OBJECT, replacedStamp: NO_STAMP };
    return apply(object, { op: Opcode.RENAME, path, newPath, ...nothing });
  };
  const owner = { uid: 0, gid: 0 };
  const close = { op: Opcode.CLOSE, mtime: TIME, mode: 0o640, ranges: [] } as const;
  const handle = { ino: 0, generation: 0 };
  const directory = { replica: PEER, number: first };
  const file = { replica: PEER, number: first + 1 };
  const other = { replica: PEER, number: first + 2 };
  const value = Buffer.from('value');
  const path = `${at}/new/file`;
  const steps: MergeStep[] = [
    move(idOf('a'), `${at}/a`, '.izo-merge-1'),
    move(idOf('b'), `${at}/b`, `${at}/a`),
    move(idOf('a'), '.izo-merge-1', `${at}/b`),
    apply(directory, { op: Opcode.MKDIR, path: `${at}/new`, mode: 0o750, ...owner }),
    apply(file, { op: Opcode.CREATE, path, mode: 0o600, ...owner }),
    apply(file, { op: Opcode.SETEXTATTR, path, name: 'user.x', value, flags: 0 }),
    apply(file, { ...close, path, size: 5, handle }, 'fresh'),
    apply(idOf('edited'), { ...close, path: `${at}/edited`, size: 6, handle }, 'server'),
    apply(idOf('gone'), { op: Opcode.UNLINK, path: `${at}/gone` }),
    {
      ...{ type: 'identity', path: `${at}/dir`, object: other, bare: true },
      content: { replica: PEER, recno: 7 },
      attributes: { replica: PEER, recno: 8 },
    },
    { type: 'touch', path: at, time: TIME },
  ];
  const { replica } = presto.logs;
  const amendments = [
    record(1, file, { op: Opcode.UNLINK, path: `${at}/transient` }, replica),
    record(2, directory, { op: Opcode.MKDIR, path: `${at}/new`, mode: 0o750, ...owner }, replica),
  ];
  const { recno: end } = presto.logs.kml.end;
  const conflicts = [`conflict-${first}`];
  const head = { peer: PEER, next: first + 99, checksum: 1, replaces: 1, end, conflicts };
  return encodeMergePlan({ head, steps, amendments });
}

/** What the log tells of after record `end`. */
function appended(rootFd: number, end: number): number[] {
  const reader = KmlReader.openFileset(rootFd, 'shared');
  try {
    const records = [...reader.backwards()].filter(({ record }) => record.head.recno > end);
    return records.map(({ record }) => record.body.op).reverse();
  } finally {
    reader.close();
  }
}

describe('presto ends at any moment of a merge', function () {
  let torn: TornPresto;
  const stage = (): string => join(torn.root, '.intermezzo/shared/stage');

  before(async function () {
    this.timeout(60_000);
    torn = await TornPresto.make();
  });
  after(async function () {
    this.timeout(60_000);
    await torn.remove();
  });

  function prepare(at: string): void {
    const { operations } = torn.presto;
    const directory = newEntry();
    must('mkdir', operations.mkdir(ROOT, 1, at, 0o755, 0, directory));
    const entry = newEntry();
    must('mkdir', operations.mkdir(ROOT, directory.node, 'dir', 0o755, 0, entry));
    for (const name of ['a', 'b', 'gone', 'edited']) {
      must('mknod', operations.mknod(ROOT, directory.node, name, 0o100644, 0, 0, entry));
      const value = Buffer.from(name);
      must('setxattr', operations.setxattr(ROOT, entry.node, 'user.was', value, 0));
    }
  }

  function checkMerged(at: string, first: number, end: number): void {
    const path = join(torn.root, at);
    assert.deepEqual(readdirSync(path).sort(), ['a', 'b', 'dir', 'edited', 'new']);
    const rootFd = openSync(torn.root, 'r');
    const read = (name: string) => readLowerObject(rootFd, `${at}/${name}`);
    assert.deepEqual(read('a')?.xattrs, [{ name: 'user.was', value: Buffer.from('b') }]);
    assert.deepEqual(read('b')?.xattrs, [{ name: 'user.was', value: Buffer.from('a') }]);
    assert.deepEqual(read('new/file')?.xattrs, [{ name: 'user.x', value: Buffer.from('value') }]);
    assert.equal(readFileSync(join(path, 'new/file'), 'utf8'), 'fresh');
    assert.equal(readFileSync(join(path, 'edited'), 'utf8'), 'server');
    assert.deepEqual(read('dir')?.object, { replica: PEER, number: first + 2 });
    assert.equal(statSync(path).mtimeMs, TIME.sec * 1000);
    assert.deepEqual(appended(rootFd, end), [Opcode.NOOP, Opcode.UNLINK, Opcode.MKDIR]);
    assert.equal(torn.presto.applier.expected(PEER), first + 99);
    const meta = readdirSync(join(torn.root, '.intermezzo/shared'));
    assert.deepEqual(
      meta.filter((name) => name.startsWith('merge')),
      [],
    );
    const kept = join(torn.root, `.intermezzo/shared/conflicts/conflict-${first}/contents`);
    assert.equal(readFileSync(kept, 'utf8'), 'lost');
  }

  it('does not begin it while something written has no record yet', () => {
    const at = 'unrecorded';
    prepare(at);
    const { presto } = torn;
    presto.setGate('absent', 'write');
    mkdirSync(join(stage(), 'conflict-500'));
    writeFileSync(join(stage(), 'f00'), planFor(presto, torn.root, at, 500));
    const names = new Names(presto.operations, new Names(presto.operations, 1).node(at));
    const node = presto.table.get(names.node('edited'));
    assert.ok(node !== undefined);
    const fd = openSync(join(torn.root, at, 'edited'), 'r+');
    must('begin', presto.contents.begin(node, fd, ROOT));
    closeSync(fd);
    const { recno } = presto.logs.kml.end;
    assert.throws(() => presto.merger.take('f00'), /unrecorded\/edited is not journaled yet/);
    assert.equal(presto.logs.kml.end.recno, recno);
    assert.ok(readdirSync(stage()).includes('f00'));
    presto.closeDirty();
    presto.setGate('disconnected', 'write');
    rmSync(join(stage(), 'f00'));
    rmSync(join(stage(), 'conflict-500'), { recursive: true });
  });

  it('and finishes it when it comes back, whatever was done already', async function () {
    this.timeout(60_000);
    let moment = 1;
    for (let crashed = true; crashed; moment++) {
      assert.ok(moment < MOMENTS_MAX, 'it does not end');
      const at = `case-${moment}`;
      const first = moment * 1000;
      prepare(at);
      torn.presto.setGate('absent', 'write');
      const { recno: end } = torn.presto.logs.kml.end;
      mkdirSync(join(stage(), `conflict-${first}`));
      writeFileSync(join(stage(), `conflict-${first}/contents`), 'lost');
      writeFileSync(join(stage(), 'f00'), planFor(torn.presto, torn.root, at, first));
      const begin = async (presto: Presto): Promise<void> => {
        presto.merger.take('f00');
        await presto.merger.finish();
      };
      crashed = await torn.crash(moment, begin);
      // The crash came before the plan was taken over: nothing has been begun.
      if (torn.presto.logs.kml.end.recno === end) await begin(torn.presto);
      checkMerged(at, first, end);
    }
    assert.ok(moment > 60, `${moment} moments`);
  });
});
