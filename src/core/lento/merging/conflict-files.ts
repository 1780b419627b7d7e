import { copyFile, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Conflict } from '../../replication/merge/outcome.js';
import type { MergeObject } from '../../replication/merge/merge-object.js';
import type { Merge } from '../../replication/merge/merge.js';
import type { Replica } from '../replica.js';
import { evidenceOf, type MergeParties } from './conflict-evidence.js';
import type { CollectedObjects } from './server-objects.js';

/** Writes what a merge leaves in the conflict store into the stage: a directory for each conflict. */
export class ConflictFiles {
  /** Names in the stage. */
  readonly names: string[] = [];

  constructor(
    private readonly replica: Replica,
    private readonly server: CollectedObjects,
    private readonly parties: MergeParties,
  ) {}

  async write({ conflicts, steps, pathOf }: Merge): Promise<void> {
    const mine = new Set<MergeObject>();
    const theirs = new Map<MergeObject, string>();
    for (const step of steps) {
      if (step.type === 'store') mine.add(step.object);
      if (step.type === 'store-of-server') theirs.set(step.object, step.serverPath);
    }
    const day = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
    for (const [i, conflict] of conflicts.entries()) {
      const name = `${day}-${this.replica.end}-${i + 1}`;
      const directory = this.replica.stagePath(name);
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { mode: 0o700 });
      const contents = join(directory, 'contents');
      const stored = await this.#keep(conflict, contents, mine, theirs);
      const path = pathOf(conflict.object) ?? conflict.object.disk ?? '';
      const evidence = evidenceOf(conflict, path, stored, this.parties);
      await writeFile(join(directory, 'conflict.json'), `${JSON.stringify(evidence, null, 2)}\n`);
      this.names.push(name);
    }
  }

  async #keep(
    { object, verdict }: Conflict,
    contents: string,
    mine: Set<MergeObject>,
    theirs: Map<MergeObject, string>,
  ): Promise<boolean> {
    const serverPath = theirs.get(object);
    if (verdict.winner === 'client' && serverPath !== undefined) {
      const { mtime } = await this.server.fetchTo(serverPath, contents);
      await utimes(contents, mtime.sec, mtime.sec);
      return true;
    }
    if (!mine.has(object) || object.disk === undefined) return false;
    const from = `/proc/self/fd/${this.replica.lowerFd}/${object.disk}`;
    await copyFile(Buffer.from(from, 'latin1'), contents);
    return true;
  }
}
