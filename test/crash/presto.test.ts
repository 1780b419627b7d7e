import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KmlReader, Lml } from '../../src/core/journal/index.js';
import { Opcode } from '../../src/core/model/records.js';
import { openByHandle } from '../../src/core/system/handles.js';
import { close, O_RDONLY } from '../../src/core/system/files.js';
import { Busy } from '../support/busy.js';
import { checkLower } from '../support/check-cache.js';
import { FILESET, MountedHost } from '../support/mounted-host.js';

const ROUNDS = 7;
const WORKERS = 3;

/** Inodes of the files that were being written, by the notes that a dead presto left in the LML. */
function inodesBeingWritten(lowerPath: string): number[] {
  const fd = openSync(join(lowerPath, '.intermezzo', FILESET, 'lml'), 'r');
  const leftovers = Lml.open(fd).leftovers();
  closeSync(fd);
  const root = openSync(lowerPath, 'r');
  const alive = leftovers.filter(({ entry: { handle } }) => {
    const file = openByHandle(root, handle.ino, handle.generation, O_RDONLY);
    if (file < 0) return false;
    const { nlink } = statSync(`/proc/self/fd/${file}`);
    close(file);
    return nlink > 0;
  });
  closeSync(root);
  return alive.map(({ entry }) => entry.handle.ino);
}

function lastRecno(lowerPath: string): number {
  return withReader(lowerPath, (reader) => reader.tail().recno);
}

function withReader<T>(lowerPath: string, use: (reader: KmlReader) => T): T {
  const root = openSync(lowerPath, 'r');
  const reader = KmlReader.openFileset(root, FILESET);
  closeSync(root);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}

/** Inodes that CLOSE records after `recno` are about. */
function closedSince(lowerPath: string, recno: number): Set<number> {
  return withReader(lowerPath, (reader) => {
    const upto = reader.tail().recno;
    const inodes = new Set<number>();
    for (let next = recno + 1; next <= upto;) {
      const read = reader.read(next, { records: 1000, bytes: 2 ** 22 }, upto);
      for (const { record } of read.records) {
        if (record.body.op === Opcode.CLOSE) inodes.add(record.body.handle.ino);
      }
      next = read.next;
    }
    return inodes;
  });
}

describe('presto killed while programs work', function () {
  this.slow(10_000);
  let mounted: MountedHost;
  let notes: string;
  let seen = 0;

  before(async function () {
    this.timeout(60_000);
    mounted = await MountedHost.make('256M');
    notes = join(mounted.root, 'notes');
    mkdirSync(notes);
    await mounted.mount();
  });

  after(async function () {
    this.timeout(60_000);
    await mounted.remove();
  });

  async function crash(round: number): Promise<void> {
    const busy = await Busy.start(mounted.mountPoint, notes, round, WORKERS);
    await sleep(100 + Math.random() * 400);
    const { lowerPath } = mounted.state;
    await mounted.kill();
    await busy.end();
    const written = inodesBeingWritten(lowerPath);
    seen += written.length;
    const before = lastRecno(lowerPath);
    await mounted.mount();
    const closed = closedSince(lowerPath, before - 1);
    for (const ino of written) assert.ok(closed.has(ino), `inode ${ino} has no CLOSE`);
    assert.deepEqual(busy.differences(), [], 'files that were closed');
    checkLower(lowerPath, FILESET);
  }

  for (let round = 1; round <= ROUNDS; round++) {
    it(`round ${round}: what was closed is there, and the tree is what the log says`, async () => {
      await crash(round);
    }).timeout(60_000);
  }

  it('some files were being written, and the mount says which', async () => {
    assert.ok(seen > 0);
    const log = readFileSync(join(mounted.host.runDir, 'intermezzo0', `${FILESET}.log`), 'utf8');
    assert.match(log, /was being written: closed/);
    await mounted.unmountAndCheck();
  }).timeout(60_000);
});
