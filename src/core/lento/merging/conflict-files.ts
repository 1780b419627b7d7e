import { copyFile, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MergeParties } from '../../conflicts/evidence.js';
import type { Conflict } from '../../replication/merge/outcome.js';
import type { MergeObject, Place } from '../../replication/merge/merge-object.js';
import type { Merge } from '../../replication/merge/merge.js';
import type { Replica } from '../replica.js';
import { S_IFMT, S_IFREG } from '../../system/attr.js';
import { evidenceOf } from './conflict-evidence.js';
import { readLowerObject } from './lower-object.js';
import type { MergeStage } from './merge-stage.js';
import type { ServerObjects } from './plan-builder.js';

/** Writes what a merge leaves in the conflict store into the stage: a directory for each conflict. */
export class ConflictFiles {
  /** Names in the stage. */
  readonly names: string[] = [];

  constructor(
    private readonly replica: Replica,
    private readonly stage: MergeStage,
    private readonly server: ServerObjects,
    private readonly parties: MergeParties,
  ) {}

  async write({ conflicts, steps, pathOf, pathAt }: Merge): Promise<void> {
    const mine = new Set<MergeObject>();
    const theirs = new Map<MergeObject, string>();
    for (const step of steps) {
      if (step.type === 'store') mine.add(step.object);
      if (step.type === 'store-of-server') theirs.set(step.object, step.serverPath);
    }
    const day = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
    for (const [i, conflict] of conflicts.entries()) {
      const name = `${day}-${this.replica.end}-${i + 1}`;
      const directory = this.stage.path(name);
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { mode: 0o700 });
      const contents = join(directory, 'contents');
      const stored = await this.#keep(conflict, contents, mine, theirs);
      const { object, stands, beside } = conflict;
      const at = (place: Place | undefined) => (place === undefined ? undefined : pathAt(place));
      const places = {
        path: at(stands) ?? pathOf(object) ?? object.disk ?? '',
        beside: at(beside),
      };
      const evidence = evidenceOf(conflict, places, stored, this.parties);
      await writeFile(join(directory, 'conflict.json'), `${JSON.stringify(evidence, null, 2)}\n`);
      this.names.push(name);
    }
  }

  async #keep(
    { lost, verdict }: Conflict,
    contents: string,
    mine: Set<MergeObject>,
    theirs: Map<MergeObject, string>,
  ): Promise<boolean> {
    const serverPath = theirs.get(lost);
    if (verdict.winner === 'client' && serverPath !== undefined) {
      const { mtime } = await this.server.fetchTo(serverPath, contents);
      await utimes(contents, mtime.sec, mtime.sec);
      return true;
    }
    if (!mine.has(lost) || lost.disk === undefined) return false;
    // Links and special files are told by their records whole.
    const found = readLowerObject(this.replica.lowerFd, lost.disk);
    if (found === undefined || (found.mode & S_IFMT) !== S_IFREG) return false;
    const from = `/proc/self/fd/${this.replica.lowerFd}/${lost.disk}`;
    await copyFile(Buffer.from(from, 'latin1'), contents);
    return true;
  }
}
