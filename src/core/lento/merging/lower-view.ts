import { readdirSync } from 'node:fs';
import { sameObject, type ObjectId } from '../../model/ids.js';
import { displayBytes, isReservedAtRoot } from '../../model/names.js';
import type { FileHandle, Time } from '../../model/records.js';
import type { ClientTree, Found } from '../../replication/merge/tree-names.js';
import { Attr } from '../../system/attr.js';
import { must } from '../../system/errno.js';
import { close, O_RDONLY, stat } from '../../system/files.js';
import { openByHandle } from '../../system/handles.js';
import { readLowerIdentity } from './lower-object.js';

const attr = new Attr();

/** The client's tree for a merge: the lower tree, while presto leaves it alone. */
export class LowerView implements ClientTree {
  readonly #found = new Map<string, Found | undefined>();
  /** Names by object, of files that have several; made when the first is asked for. */
  #links: { object: ObjectId; path: string }[] | undefined;

  constructor(private readonly lowerFd: number) {}

  lookup(path: string): Found | undefined {
    if (isReservedAtRoot(path)) return undefined;
    if (!this.#found.has(path)) this.#found.set(path, readLowerIdentity(this.lowerFd, path));
    return this.#found.get(path);
  }

  timeOf(path: string): Time {
    must('statx', stat(this.lowerFd, path, attr), displayBytes(path));
    return { sec: attr.mtimeSec, nsec: attr.mtimeNsec };
  }

  namesOf(object: ObjectId, handle: FileHandle | undefined): readonly string[] {
    if (handle !== undefined && !this.#exists(handle)) return [];
    this.#links ??= this.#walk();
    return this.#links.filter((l) => sameObject(l.object, object)).map((l) => l.path);
  }

  #exists({ ino, generation }: FileHandle): boolean {
    const fd = openByHandle(this.lowerFd, ino, generation, O_RDONLY);
    if (fd < 0) return false;
    const named = stat(fd, '', attr) >= 0 && attr.nlink > 0;
    close(fd);
    return named;
  }

  #walk(): { object: ObjectId; path: string }[] {
    const files = [];
    const pending = [''];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      const directory = Buffer.from(`/proc/self/fd/${this.lowerFd}/${at}`, 'latin1');
      for (const entry of readdirSync(directory, { withFileTypes: true, encoding: 'buffer' })) {
        const name = Buffer.from(entry.name as unknown as Uint8Array).toString('latin1');
        if (at === '' && isReservedAtRoot(name)) continue;
        const path = at === '' ? name : `${at}/${name}`;
        if (entry.isDirectory()) pending.push(path);
        else {
          const found = readLowerIdentity(this.lowerFd, path);
          if (found !== undefined) files.push({ object: found.object, path });
        }
      }
    }
    return files;
  }
}
