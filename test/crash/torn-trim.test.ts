import assert from 'node:assert/strict';
import { fstatSync, openSync, closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { KmlReader, openLogs, type FilesetLogs } from '../../src/core/journal/index.js';
import type { Recno } from '../../src/core/model/ids.js';
import { must } from '../../src/core/system/errno.js';
import { run } from '../../src/core/system/processes.js';
import { checkFileSystem } from '../support/check-cache.js';
import { FILESET } from '../support/mounted-host.js';
import { mountLowerTree } from '../support/power/lower-tree.js';
import { newEntry, ROOT, TornPresto } from '../support/torn-presto.js';

/** Updates before each trimming: enough of the log for whole blocks to be given back. */
const UPDATES = 300;
/** Of these, a replicator lacks the last ones. */
const LACKED = 100;
const MOMENTS_MAX = 20;

/** What is in the log from record `first` on: numbers, and the checksum of each. */
function recordsFrom(rootFd: number, first: Recno): string[] {
  const reader = KmlReader.openFileset(rootFd, FILESET);
  try {
    const scan = reader.scan();
    assert.equal(scan.kind, 'clean');
    const limits = { records: 10_000, bytes: 2 ** 24 };
    const { records } = reader.read(first, limits, scan.tail.recno);
    return records.map(({ record, checksum }) => `${record.head.recno} ${checksum}`);
  } finally {
    reader.close();
  }
}

const rules = (acknowledged: Recno) => ({ acknowledged, history: 0, backlog: Infinity, least: 1 });

/** Trims as was wanted, however far it had come. */
function finish({ kml }: FilesetLogs, acknowledged: Recno): void {
  assert.ok(kml.header.firstRecno <= acknowledged + 1, 'records that a replicator lacks are gone');
  kml.trim(rules(acknowledged));
  assert.equal(kml.header.firstRecno, acknowledged + 1);
}

/** The room of the log's file, in bytes. */
function room(rootFd: number): number {
  const fd = openSync(join(`/proc/self/fd/${rootFd}`, '.intermezzo', FILESET, 'kml'), 'r');
  const { blocks } = fstatSync(fd);
  closeSync(fd);
  return blocks * 512;
}

describe('trimming the log is cut short at any moment', function () {
  this.timeout(60_000);
  let torn: TornPresto;

  before(async () => {
    torn = await TornPresto.make();
  });
  after(async () => {
    await torn.remove();
  });

  /** @returns the record up to which all replicators have the log */
  function update(): Recno {
    const { operations, logs } = torn.presto;
    for (let i = 0; i < UPDATES; i++) {
      const name = `d${logs.kml.next}`;
      must('mkdir', operations.mkdir(ROOT, 1, name, 0o755, 0, newEntry()));
    }
    return logs.kml.end.recno - LACKED;
  }

  /** Trims, once for each moment at which it may end, and looks at what is there then. */
  async function atEachMoment(
    look: (acknowledged: Recno, lacked: readonly string[]) => Promise<void>,
  ): Promise<void> {
    let moment = 1;
    for (let crashed = true; crashed; moment++) {
      assert.ok(moment < MOMENTS_MAX, 'it does not end');
      const acknowledged = update();
      const lacked = recordsFrom(torn.rootFd, acknowledged + 1);
      assert.equal(lacked.length, LACKED);
      const trim = (): unknown => torn.presto.logs.kml.trim(rules(acknowledged));
      await run('sync', ['-f', torn.root]);
      crashed = await torn.crash(moment, trim, () => look(acknowledged, lacked));
      assert.deepEqual(recordsFrom(torn.rootFd, acknowledged + 1), lacked);
      finish(torn.presto.logs, acknowledged);
    }
    // Before and after the header, and before and after its room is given back; and once not at all.
    assert.equal(moment - 1, 5);
  }

  it('by the end of presto', async () => {
    const before = room(torn.rootFd);
    await atEachMoment(() => Promise.resolve());
    // What remains is not all that was ever there.
    update();
    const { kml } = torn.presto.logs;
    kml.trim(rules(kml.end.recno));
    assert.ok(room(torn.rootFd) <= before + 8192, `${room(torn.rootFd)} bytes, ${before} at first`);
  });

  for (const written of [true, false]) {
    const disk = written ? 'has all that was trimmed' : 'has had no time for that';
    it(`by a power cut, when the disk ${disk}`, async () => {
      const copy = `${torn.image}.cut`;
      await atEachMoment(async (acknowledged, lacked) => {
        if (written) await run('sync', ['-f', torn.root]);
        await run('cp', ['--sparse=always', torn.image, copy]);
        try {
          const lower = await mountLowerTree(copy, `${copy}.root`, 'ext3');
          try {
            assert.deepEqual(recordsFrom(lower.rootFd, acknowledged + 1), lacked);
            const logs = openLogs(lower.rootFd, FILESET);
            finish(logs, acknowledged);
            logs.close();
          } finally {
            await lower.release();
          }
          await checkFileSystem(copy);
        } finally {
          rmSync(copy, { force: true });
        }
      });
    });
  }
});
