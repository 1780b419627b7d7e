import { copyFile } from 'node:fs/promises';
import { formatObjectId, NO_STAMP, sameStamp, type Stamp } from '../../model/ids.js';
import type { ObjectDescription, TreeEntry } from '../../model/object-description.js';
import { Opcode, stampOf, type JournalRecord } from '../../model/records.js';
import type { WireItem } from '../../psdev/items.js';
import { isFile } from '../../replication/resync/object-news.js';
import type { Snapshot } from '../../replication/resync/snapshot.js';
import type { MergeStage } from '../merging/merge-stage.js';
import { MergeImpossible, type ServerObjects } from '../merging/plan-builder.js';
import type { Replica } from '../replica.js';
import type { StagedContents } from './staged-contents.js';

const EMPTY = Buffer.alloc(0);

/** The server's side of a merge with its whole tree: all of it is on this disk. */
export class TreeObjects implements ServerObjects {
  constructor(
    private readonly replica: Replica,
    private readonly stage: MergeStage,
    private readonly server: Snapshot,
    private readonly client: Snapshot,
    private readonly staged: StagedContents,
  ) {}

  contentsOf(record: JournalRecord): Promise<WireItem> {
    const { head, body } = record;
    const entry = this.server.byId(head.object);
    const isThat = entry !== undefined && sameStamp(entry.content, stampOf(record));
    if (body.op !== Opcode.CLOSE || !isThat) {
      throw new MergeImpossible(`no contents of ${formatObjectId(head.object)} are here`);
    }
    const name = this.staged.find(entry);
    if (name === undefined) throw new MergeImpossible(`contents of ${entry.path} are missing`);
    const data = Buffer.from(name, 'latin1');
    return Promise.resolve({ record: EMPTY, content: 'staged', data });
  }

  fetch(serverPath: string, name: string): Promise<ObjectDescription> {
    return this.fetchTo(serverPath, this.stage.path(name));
  }

  async fetchTo(serverPath: string, file: string): Promise<ObjectDescription> {
    const entry = this.server.get(serverPath);
    if (entry === undefined) throw new MergeImpossible(`${serverPath} is not in the tree`);
    if (isFile(entry)) await copyFile(this.#source(entry), file);
    return entry;
  }

  #source(entry: TreeEntry): Buffer {
    const name = this.staged.find(entry);
    if (name !== undefined) return Buffer.from(this.replica.stagePath(name));
    const here = this.client.byId(entry.object);
    if (here === undefined || !hasContents(here, entry.content)) {
      throw new MergeImpossible(`contents of ${entry.path} are missing`);
    }
    return Buffer.from(`/proc/self/fd/${this.replica.lowerFd}/${here.path}`, 'latin1');
  }
}

/** Whether this version of the contents is what an entry of this host has. */
export function hasContents(entry: TreeEntry | undefined, content: Stamp): boolean {
  return entry !== undefined && sameStamp(entry.content, content) && !sameStamp(content, NO_STAMP);
}
