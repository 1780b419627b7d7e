import assert from 'node:assert/strict';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KmlReader, Lml } from '../../src/core/journal/index.js';
import { Opcode } from '../../src/core/model/records.js';
import { close, O_RDONLY } from '../../src/core/system/files.js';
import { openByHandle } from '../../src/core/system/handles.js';
import { Busy } from './busy.js';
import { checkLower } from './check-cache.js';
import { FILESET, type MountedHost } from './mounted-host.js';

const WORKERS = 2;
/** How long programs work before presto is killed: at least, and at random besides. */
const WORK_MS = 100;
const RANDOM_MS = 400;

/**
 * Kills a mounted presto at a random moment while programs work, mounts again and checks: what was done is there, the tree
 * is what the log says, what was being written is closed.
 * @param round names what the programs do. @param options of the mount, besides the usual ones. @returns how many files were being written
 */
export async function killWhileBusy(
  mounted: MountedHost,
  notes: string,
  round: number,
  ...options: readonly string[]
): Promise<number> {
  const busy = await Busy.start(mounted.mountPoint, notes, round, WORKERS);
  await sleep(WORK_MS + Math.random() * RANDOM_MS);
  const { lowerPath } = mounted.state;
  await mounted.kill();
  await busy.end();
  const written = inodesBeingWritten(lowerPath);
  const before = lastRecno(lowerPath);
  await mounted.mount(...options);
  const closed = closedSince(lowerPath, before - 1);
  for (const ino of written) assert.ok(closed.has(ino), `inode ${ino} has no CLOSE`);
  assert.deepEqual(busy.differences(), [], 'what was done');
  checkLower(lowerPath, FILESET);
  return written.length;
}

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
