import { DEFAULT_ACL } from '../../model/acl.js';
import {
  formatObjectId,
  NO_OBJECT,
  NO_STAMP,
  sameObject,
  sameStamp,
  type Stamp,
} from '../../model/ids.js';
import type { TreeEntry } from '../../model/object-description.js';
import { splitPath } from '../../model/names.js';
import {
  Opcode,
  type Actor,
  type JournalRecord,
  type RecordBody,
  type Time,
} from '../../model/records.js';
import type { DirectoryTime } from '../merge/outcome.js';
import { MergeObjects, MergeRefused, type MergeObject } from '../merge/merge-object.js';
import { undo } from '../merge/placed.js';
import { TreeNames } from '../merge/tree-names.js';
import { baseVersions } from './base-versions.js';
import { NameChanges, type Naming } from './name-changes.js';
import { closeOf, isFile, makingOf, newsOfAttributes, newsOfMade } from './object-news.js';
import { isDirectory, type Snapshot } from './snapshot.js';

/** What the server's tree has that the client's has not. */
export interface ServerNews {
  /** Never empty: the last one is a NOOP. */
  readonly records: readonly JournalRecord[];
  /** Times of directories at the server, of those whose names change or whose time is another one. */
  readonly times: readonly DirectoryTime[];
}

/**
 * What the server has done since the client was last equal to it, told by nothing but the two trees: identities tell what
 * was made, moved and removed, versions what was written. A history that leads from the client's tree without its pending
 * records to the server's; not the one that happened, but with the same end. Pure.
 *
 * What has no version that could be told bears `fallback`.
 * @throws MergeRefused where the pending records do not fit the client's tree, or an object has no identity
 */
export function newsFrom(
  server: Snapshot,
  client: Snapshot,
  pending: readonly JournalRecord[],
  fallback: Stamp,
): ServerNews {
  const objects = new MergeObjects();
  const base = new TreeNames(objects, client);
  undo(base, pending);
  const changes = new NameChanges(base, placesOf(client, objects, base), placesOf(server, objects));
  const writer = new NewsWriter(server, client, fallback);
  for (const step of changes.steps()) writer.rename(step);
  writer.update(pending);
  return writer.finish();
}

const NO_TIME: Time = { sec: 0, nsec: 0 };
/** One for all: there may be millions of records. */
const NOBODY: Actor = { uid: 0, gid: 0, pid: 0, groups: [] };

type Places = Map<MergeObject, Map<string, MergeObject>>;

/** Every name of a tree, directories before what is in them. `changed`: where it is another than that of the snapshot. */
function placesOf(tree: Snapshot, objects: MergeObjects, changed?: TreeNames): Places {
  const places: Places = new Map([[objects.root, new Map<string, MergeObject>()]]);
  const directories = new Map<string, MergeObject>([['', objects.root]]);
  const namesIn = (directory: MergeObject): Map<string, MergeObject> => {
    const names = places.get(directory) ?? new Map<string, MergeObject>();
    places.set(directory, names);
    return names;
  };
  for (const entry of tree.entries) {
    if (entry.path === '') continue;
    if (sameObject(entry.object, NO_OBJECT)) throw new MergeRefused('an object has no identity');
    const { directory, name } = splitPath(entry.path);
    const parent = directories.get(directory);
    if (parent === undefined) throw new MergeRefused('a tree that is not whole');
    const object = objects.get(entry.object, isDirectory(entry));
    if (object.isDirectory) directories.set(entry.path, object);
    if (changed !== undefined) changed.onDisk({ directory: parent, name });
    namesIn(parent).set(name, object);
  }
  for (const { directory, name } of changed?.changed() ?? []) {
    const object = changed?.at({ directory, name });
    if (object === undefined) namesIn(directory).delete(name);
    else namesIn(directory).set(name, object);
  }
  return places;
}

class NewsWriter {
  readonly #records: JournalRecord[] = [];
  /** Objects that the client has yet to make. */
  readonly #made = new Set<string>();
  /** Directories whose names change. */
  readonly #touched = new Set<string>();

  constructor(
    private readonly server: Snapshot,
    private readonly client: Snapshot,
    private readonly fallback: Stamp,
  ) {}

  #write(object: TreeEntry['object'], stamp: Stamp, time: Time, body: RecordBody): void {
    const { replica, recno } = stamp.replica === 0 ? this.fallback : stamp;
    const origin = { origin: replica, originRecno: recno };
    const recnoHere = this.#records.length + 1;
    const head = { recno: recnoHere, ...origin, time, actor: NOBODY, object, before: NO_STAMP };
    this.#records.push({ head, body });
  }

  rename(step: Naming): void {
    const { object } = step;
    const entry = this.server.byId(object.id);
    const stamp = entry?.attributes ?? this.fallback;
    const time = entry?.mtime ?? NO_TIME;
    this.#touched.add(formatObjectId(step.directory.id));
    switch (step.type) {
      case 'remove': {
        const op = object.isDirectory ? Opcode.RMDIR : Opcode.UNLINK;
        this.#write(object.id, stamp, time, { op, path: step.path });
        return;
      }
      case 'move': {
        const nothing = { flags: 0, replaced: NO_OBJECT, replacedStamp: NO_STAMP };
        const { path, newPath } = step;
        this.#write(object.id, stamp, time, { op: Opcode.RENAME, path, newPath, ...nothing });
        return;
      }
      case 'link': {
        const { path, newPath } = step;
        this.#write(object.id, stamp, time, { op: Opcode.LINK, path, newPath });
        return;
      }
      case 'make': {
        const made = this.server.get(step.path);
        if (made === undefined) throw new MergeRefused('an object that is not in the tree');
        this.#made.add(formatObjectId(object.id));
        this.#write(object.id, this.#stampOfMaking(made), time, makingOf(made));
      }
    }
  }

  /** It is the version of both contents and attributes, until what follows gives them theirs. */
  #stampOfMaking(entry: TreeEntry): Stamp {
    if (!isFile(entry)) return entry.content;
    const first = { replica: entry.object.replica, recno: entry.object.number };
    return entry.size > 0 && sameStamp(first, entry.content) ? this.fallback : first;
  }

  /** Contents and attributes, now that everything has the server's name. */
  update(pending: readonly JournalRecord[]): void {
    const versions = baseVersions(pending);
    const told = new Set<string>();
    for (const entry of this.server.entries) {
      const { object, mtime } = entry;
      const key = formatObjectId(object);
      if (told.has(key)) continue;
      told.add(key);
      if (this.#made.has(key)) {
        for (const { stamp, body } of newsOfMade(entry, this.#inDefaultAcl(entry.path))) {
          this.#write(object, stamp, mtime, body);
        }
        continue;
      }
      const ours = this.client.byId(object);
      const base = versions.get(key);
      const content = base?.content ?? ours?.content ?? NO_STAMP;
      const closed = sameStamp(content, entry.content) ? undefined : closeOf(entry);
      if (closed !== undefined) this.#write(object, closed.stamp, mtime, closed.body);
      const attributes = base?.attributes ?? ours?.attributes ?? entry.attributes;
      // What nobody has ever set, as a rule of the root, is no news.
      const set = !sameStamp(entry.attributes, NO_STAMP);
      if (!set || sameStamp(attributes, entry.attributes) || ours === undefined) continue;
      for (const { stamp, body } of newsOfAttributes(entry, ours)) {
        this.#write(object, stamp, mtime, body);
      }
    }
  }

  finish(): ServerNews {
    this.#write(NO_OBJECT, this.fallback, NO_TIME, { op: Opcode.NOOP, replaces: 0 });
    const times = this.server.entries.flatMap((entry) => {
      if (!isDirectory(entry)) return [];
      const { object, path, mtime: time } = entry;
      const ours = this.client.byId(object)?.mtime;
      const same = ours?.sec === time.sec && ours.nsec === time.nsec;
      const isRoot = path === '';
      return same && !isRoot && !this.#touched.has(formatObjectId(object)) ? [] : [{ path, time }];
    });
    return { records: this.#records, times };
  }

  /** Whether the directory of `path` would give ACLs to what is made in it, on either side. */
  #inDefaultAcl(path: string): boolean {
    const theirs = this.server.get(splitPath(path).directory);
    const ours = theirs === undefined ? undefined : this.client.byId(theirs.object);
    return [theirs, ours].some((d) => d?.xattrs.some(({ name }) => name === DEFAULT_ACL) === true);
  }
}
