import { formatObjectId, type ObjectId } from '../../model/ids.js';
import type { TreeEntry } from '../../model/object-description.js';
import type { Time } from '../../model/records.js';
import { MergeRefused } from '../merge/merge-object.js';
import type { ClientTree, Found } from '../merge/tree-names.js';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

export function isDirectory({ mode }: { readonly mode: number }): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

/** A tree as it was at one moment, all of it in memory. */
export class Snapshot implements ClientTree {
  readonly #byPath = new Map<string, TreeEntry>();
  readonly #names = new Map<string, string[]>();

  /** @param entries every name, directories before what is in them */
  constructor(readonly entries: readonly TreeEntry[]) {
    for (const entry of entries) {
      this.#byPath.set(entry.path, entry);
      const key = formatObjectId(entry.object);
      const names = this.#names.get(key);
      if (names === undefined) this.#names.set(key, [entry.path]);
      else names.push(entry.path);
    }
  }

  get(path: string): TreeEntry | undefined {
    return this.#byPath.get(path);
  }

  /** The object, by the first of its names. */
  byId(object: ObjectId): TreeEntry | undefined {
    const [path] = this.namesOf(object);
    return path === undefined ? undefined : this.#byPath.get(path);
  }

  lookup(path: string): Found | undefined {
    const entry = this.#byPath.get(path);
    if (entry === undefined) return undefined;
    const { object } = entry;
    const directory = isDirectory(entry);
    return { object, directory, links: directory ? 1 : this.namesOf(object).length };
  }

  timeOf(path: string): Time {
    const entry = this.#byPath.get(path);
    if (entry === undefined) throw new MergeRefused('a directory is not in the tree');
    return entry.mtime;
  }

  namesOf(object: ObjectId): readonly string[] {
    return this.#names.get(formatObjectId(object)) ?? [];
  }
}
