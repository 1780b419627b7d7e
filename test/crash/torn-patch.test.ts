import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { newOpened } from '../../src/core/fuse/port.js';
import { encodeRecord, KmlReader } from '../../src/core/journal/index.js';
import { versionAt } from '../../src/core/lento/contents/lower-contents.js';
import { sameStamp } from '../../src/core/model/ids.js';
import { LIMITS } from '../../src/core/model/limits.js';
import { normalRanges } from '../../src/core/model/ranges.js';
import { Opcode, stampOf, type JournalRecord } from '../../src/core/model/records.js';
import type { RemoteItem } from '../../src/core/presto/peers/applier.js';
import { copyRanges } from '../../src/core/presto/peers/copy-part.js';
import { ReadyPatch } from '../../src/core/presto/peers/ready-patch.js';
import { encodePatch } from '../../src/core/psdev/patch.js';
import { must } from '../../src/core/system/errno.js';
import { O_RDONLY, O_RDWR } from '../../src/core/system/files.js';
import { Memory } from '../../src/core/system/native.js';
import { applyItems, recordsOf } from '../support/peer-records.js';
import { Names } from '../support/operations-by-name.js';
import { newEntry, ROOT, TornPresto } from '../support/torn-presto.js';

const KIB = 1024;
const MOMENTS_MAX = 100;
const bytes = new Memory(KIB);

/** How a file is to be changed: where, and whether somebody has it open or it has a second name. */
interface Case {
  readonly size: number;
  readonly writes: readonly number[];
  readonly linked?: boolean;
  readonly writer?: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  'a large file, where it is': { size: 5000 * KIB, writes: [0, 3000 * KIB + 5, 5000 * KIB - 7] },
  'a small one, as a copy': { size: 200 * KIB, writes: [100, 150 * KIB] },
  'one with two names': { size: 200 * KIB, writes: [0, 199 * KIB + 500], linked: true },
  'one that is open for writing': { size: 200 * KIB, writes: [5, 90 * KIB], writer: true },
};

/** Two trees without mounts: what is written in the first is put in place in the second as changes. */
class Twins {
  constructor(
    readonly source: TornPresto,
    readonly replica: TornPresto,
  ) {}

  /** Writes KIBs of `fill` to a file of the source, and closes it. */
  write(name: string, offsets: readonly number[], fill: number): void {
    const { operations } = this.source.presto;
    const entry = newEntry();
    must('lookup', operations.lookup(1, name, entry));
    const opened = newOpened();
    must('open', operations.open(ROOT, entry.node, O_RDWR, opened));
    bytes.buffer.fill(fill);
    const { address, length } = bytes;
    for (const at of offsets) {
      const { handle } = opened;
      must('write', operations.write(ROOT, entry.node, handle, at, length, address, false, false));
    }
    must('flush', operations.flush(ROOT, entry.node, opened.handle));
    operations.release(ROOT, entry.node, opened.handle);
  }

  make(name: string, { size, linked = false }: Case): void {
    const { operations } = this.source.presto;
    const entry = newEntry();
    must('mknod', operations.mknod(ROOT, 1, name, 0o100640, 0, 0, entry));
    const all = Array.from({ length: 20 }, (_, i) => Math.floor((i * (size - KIB)) / 19));
    this.write(name, all, 1);
    if (linked) must('link', operations.link(ROOT, entry.node, 1, `${name}-too`, newEntry()));
  }

  /** What a lento would hand over now, of what the replica does not have. */
  items(patched: boolean): RemoteItem[] {
    const { applier } = this.replica.presto;
    const items = recordsOf(this.source.root, applier.expected(this.source.presto.logs.replica));
    return patched ? items.map((item) => this.#patched(item)) : items;
  }

  #patched(item: RemoteItem): RemoteItem {
    const { record } = item;
    const { body, head } = record;
    if (body.op !== Opcode.CLOSE || item.contents === undefined) return item;
    const root = openSync(this.replica.root, 'r');
    const here = versionAt(root, body.path, head.object);
    closeSync(root);
    // A file that was just made is written as a whole; and one that a crash has left behind, too.
    if (here === undefined || !sameStamp(here, head.before)) return item;
    const { replica, recno } = stampOf(record);
    const name = `${replica.toString(16)}-${recno}-1`;
    const ranges = normalRanges(body.ranges, body.size);
    const contents = readFileSync(join(this.source.root, body.path));
    const stage = join(this.replica.root, '.intermezzo/shared/stage', name);
    const fd = openSync(stage, 'w');
    for (const { offset, length } of ranges) writeSync(fd, contents, offset, length, offset);
    const patch = encodePatch({ record: encoded(record), base: head.before, ranges });
    writeSync(fd, patch, 0, patch.length, body.size);
    closeSync(fd);
    return { ...item, contents: { kind: 'patch-file', name } };
  }

  async apply(patched: boolean, log: boolean): Promise<void> {
    this.replica.presto.setGate('absent', 'write');
    const items = this.items(patched);
    assert.equal(await applyItems(this.replica, this.source, items, log), undefined);
  }

  read(name: string, side: TornPresto = this.replica): Buffer {
    return readFileSync(join(side.root, name));
  }
}

function encoded(record: JournalRecord): Buffer {
  const buffer = Buffer.alloc(LIMITS.recordBytes);
  const { head, body } = record;
  const length = must('encode', encodeRecord(buffer, 0, head.recno, 0, head, body));
  return buffer.subarray(0, length);
}

for (const log of [true, false]) {
  describe(`a ${log ? 'server' : 'client'} ends at any moment of changing a part of a file`, () => {
    let twins: Twins;
    const apply = Reflect.get<ReadyPatch, 'apply'>(ReadyPatch.prototype, 'apply');

    before(async function () {
      this.timeout(60_000);
      twins = new Twins(await TornPresto.make(), await TornPresto.make());
      // As it is, but for the moments in its middle.
      ReadyPatch.prototype.apply = function (this: ReadyPatch) {
        this.begun = true;
        for (const range of this.ranges) {
          const result = copyRanges(this.from, this.to, [range]);
          if (result < 0) return result;
          twins.replica.moment();
        }
        this.complete = true;
        return 0;
      };
    });
    after(async function () {
      this.timeout(60_000);
      ReadyPatch.prototype.apply = apply;
      await twins.source.remove();
      await twins.replica.remove();
    });

    let count = 0;
    for (const [what, each] of Object.entries(CASES)) {
      it(what, async function () {
        this.timeout(20_000);
        const name = `file-${++count}`;
        twins.make(name, each);
        await twins.apply(false, log);
        let moment = 1;
        for (let crashed = true; crashed; moment++) {
          assert.ok(moment < MOMENTS_MAX, 'it does not end');
          const old = twins.read(name);
          const { recno } = twins.replica.presto.logs.kml.end;
          twins.write(name, each.writes, moment + 1);
          const wanted = twins.read(name, twins.source);
          crashed = await twins.replica.crash(moment, async () => {
            if (each.writer === true) openForWriting(twins.replica, name);
            await twins.apply(true, log);
          });
          // Peers have been told of what was in the log.
          assert.ok(twins.replica.presto.logs.kml.end.recno >= recno, `moment ${moment}`);
          const found = twins.read(name);
          const whole = found.equals(wanted) || (crashed && found.equals(old));
          assert.ok(whole, `half of it after a crash at moment ${moment}`);
          if (crashed) await twins.apply(true, log);
          assert.ok(twins.read(name).equals(wanted), `not done after moment ${moment}`);
        }
        assert.ok(moment > 4, `${moment} moments`);
        if (log) twins.replica.check();
        assert.deepEqual(twins.replica.presto.logs.lml.leftovers(), []);
      });
    }

    it('and keeps what it has got where a program had begun to write over it', async () => {
      const { source, replica } = twins;
      const { replica: peer } = source.presto.logs;
      let closes = 0;
      let moment = 1;
      for (let crashed = true; crashed; moment++) {
        const name = `file-${++count}`;
        twins.make(name, { size: 10 * KIB, writes: [] });
        await twins.apply(false, log);
        const { recno } = replica.presto.logs.kml.end;
        crashed = await replica.crash(moment, ({ contents, table, operations }) => {
          const node = table.get(new Names(operations, 1).node(name));
          assert.ok(node !== undefined);
          const fd = openSync(join(replica.root, name), 'r+');
          must('begin', contents.begin(node, fd, ROOT));
          closeSync(fd);
        });
        if (!crashed) replica.presto.closeDirty();
        const last = lastRecords(replica.root, 2);
        if (log) assert.ok(last.includes(recno), `moment ${moment}`);
        if (last[0] !== recno) closes++;
      }
      assert.ok(closes > 1, `${closes} times something was written`);
      assert.ok(replica.presto.applier.expected(peer) > 0);
    });

    it('and reads nothing else where the patch is for another version', async () => {
      const name = `file-${++count}`;
      twins.make(name, { size: 100 * KIB, writes: [] });
      await twins.apply(false, log);
      twins.write(name, [0], 7);
      const [item] = twins.items(true);
      assert.equal(item?.contents?.kind, 'patch-file');
      twins.write(name, [5 * KIB], 8);
      const later = twins.items(false).at(-1);
      assert.ok(later !== undefined);
      const before = twins.read(name);
      const mixed = { ...later, contents: item.contents };
      // The patch is of the version before: its own base is there, but what it makes is not what the record says.
      const wrong = await applyItems(twins.replica, twins.source, [mixed], log);
      assert.equal(wrong?.reason, 'EINVAL');
      assert.ok(twins.read(name).equals(before));
      await twins.apply(false, log);
      assert.ok(twins.read(name).equals(twins.read(name, twins.source)));
    });
  });
}

/** The numbers of the last records of a log, the last one first. */
function lastRecords(root: string, count: number): number[] {
  const fd = openSync(root, 'r');
  const reader = KmlReader.openFileset(fd, 'shared');
  try {
    const numbers: number[] = [];
    for (const { record } of reader.backwards()) {
      numbers.push(record.head.recno);
      if (numbers.length === count) break;
    }
    return numbers;
  } finally {
    reader.close();
    closeSync(fd);
  }
}

function openForWriting({ presto }: TornPresto, name: string): void {
  const entry = newEntry();
  must('lookup', presto.operations.lookup(1, name, entry));
  presto.setGate('disconnected', 'write');
  must('open', presto.operations.open(ROOT, entry.node, O_RDWR, newOpened()));
  presto.setGate('absent', 'write');
  must('open', presto.operations.open(ROOT, entry.node, O_RDONLY, newOpened()));
}
