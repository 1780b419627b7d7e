import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { LowerMount } from '../../../src/core/cache/index.js';
import { openLogs } from '../../../src/core/journal/index.js';
import { adoptTree } from '../../../src/core/presto/mounting/adoption.js';
import { Presto } from '../../../src/core/presto/presto.js';
import { recover } from '../../../src/core/presto/mounting/recovery.js';
import { must } from '../../../src/core/system/errno.js';
import { checkFileSystem, checkLower } from '../check-cache.js';
import { fillers } from '../filler.js';
import { FILESET } from '../mounted-host.js';
import { compareWithNotes } from '../notes.js';
import { ROOT } from '../torn-presto.js';
import { mountLowerTree } from './lower-tree.js';
import { clone } from './reflink-disk.js';
import type { Snapshot } from './snapshots.js';

/** What was checked of a snapshot, and what is not as it must be. */
export interface Verdict {
  readonly violations: string[];
  records: number;
  objects: number;
  /** Files that were fsynced before, whose contents were compared. */
  synced: number;
  /** An append had been cut short. */
  torn: number;
  /** Files that were being written. */
  leftovers: number;
}

export const newVerdict = (): Verdict => ({
  violations: [],
  records: 0,
  objects: 0,
  synced: 0,
  torn: 0,
  leftovers: 0,
});

/**
 * Does what presto does at mount with a copy of a snapshot, and checks: the file system is sound before and after, the tree
 * is what the log says, and what the workers synced is there. The snapshot stays as it is.
 */
export async function checkSnapshot(snapshot: Snapshot): Promise<Verdict> {
  const verdict = newVerdict();
  const image = `${snapshot.image}.checked`;
  await clone(snapshot.image, image);
  const attempt = async (what: string, check: () => void | Promise<void>): Promise<void> => {
    try {
      await check();
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      verdict.violations.push(`${snapshot.name}: ${what}: ${words}`);
    }
  };
  try {
    await attempt('e2fsck', () => checkFileSystem(image));
    const lower = await mountLowerTree(image, `${image}.root`, snapshot.type);
    try {
      await attempt('recovery', () => {
        recoverLower(lower, snapshot.full, verdict);
      });
      await attempt('tree and log', () => {
        const { records, objects } = checkLower(lower.path, FILESET);
        Object.assign(verdict, { records, objects });
      });
      compareNotes(snapshot, lower.path, verdict);
    } finally {
      await lower.release();
    }
    await attempt('e2fsck after recovery', () => checkFileSystem(image));
  } finally {
    rmSync(image);
  }
  return verdict;
}

function recoverLower(
  { rootFd, stageFd, path }: LowerMount,
  full: boolean,
  verdict: Verdict,
): void {
  const logs = openLogs(rootFd, FILESET);
  try {
    const { found } = logs.kml;
    if (found.kind === 'torn-tail') verdict.torn++;
    verdict.leftovers += logs.lml.leftovers().length;
    const failed: string[] = [];
    const presto = new Presto(rootFd, stageFd, logs, (level, message) => {
      if (level === 'error' && !full) failed.push(message);
    });
    recover(presto);
    const adopted = adoptTree(presto);
    for (const name of fillers(path)) must('unlink', presto.operations.unlink(ROOT, 1, name));
    // With it whatever could not be closed for want of room.
    presto.close();
    if (adopted > 0) failed.push(`${adopted} objects were in no log`);
    if (failed.length > 0) throw new Error(failed.join('; '));
  } finally {
    logs.close();
  }
}

function compareNotes({ name, notes, moments }: Snapshot, root: string, verdict: Verdict): void {
  for (const [file, moment] of Object.entries(moments)) {
    const directory = join(root, basename(file, '.notes'));
    const { synced, differences } = compareWithNotes(directory, join(notes, file), moment);
    verdict.synced += synced;
    verdict.violations.push(...differences.map((each) => `${name}: ${each}`));
  }
}
