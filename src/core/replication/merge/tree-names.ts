import type { ObjectId } from '../../model/ids.js';
import type { FileHandle, Time } from '../../model/records.js';
import { MergeRefused, type MergeObject, type MergeObjects, type Place } from './merge-object.js';

/** The client's tree as it is on disk when the merge begins. */
export interface ClientTree {
  /** What is at `path` (not the root), or undefined. Links are not followed. */
  lookup(path: string): Found | undefined;
  /** The time of modification of the directory at `path`, which is there. */
  timeOf(path: string): Time;
  /**
   * All names of a file that may have more than the journal tells of. Slow: it may have to go through the whole tree.
   * @param handle the lower file, where known: one that is gone has no names
   */
  namesOf(object: ObjectId, handle: FileHandle | undefined): readonly string[];
}

export interface Found {
  readonly object: ObjectId;
  readonly directory: boolean;
  /** Number of names, 1 or more; of a directory, 1. */
  readonly links: number;
}

type Entries = Map<string, MergeObject | undefined>;

/**
 * Which object has which name in one state of the tree: what the client has on disk, and on top of it what differs from
 * that. Directories are told apart by their identity, so names keep their meaning when directories above them move.
 */
export class TreeNames {
  readonly #changed = new Map<MergeObject, Entries>();

  constructor(
    readonly objects: MergeObjects,
    private readonly tree: ClientTree,
  ) {}

  /** The same state, to go on from. */
  copy(): TreeNames {
    const copy = new TreeNames(this.objects, this.tree);
    for (const [directory, entries] of this.#changed) {
      copy.#changed.set(directory, new Map(entries));
    }
    return copy;
  }

  at({ directory, name }: Place): MergeObject | undefined {
    const entries = this.#changed.get(directory);
    return entries?.has(name) === true ? entries.get(name) : this.onDisk({ directory, name });
  }

  /** What the client has there on disk. */
  onDisk({ directory, name }: Place): MergeObject | undefined {
    if (directory.disk === undefined || !directory.isDirectory) return undefined;
    const path = join(directory.disk, name);
    const found = this.tree.lookup(path);
    if (found === undefined) return undefined;
    const object = this.objects.get(found.object, found.directory);
    object.disk ??= path;
    object.links = found.links;
    see(object, { directory, name });
    return object;
  }

  /** When names in the directory changed last on the client's disk. */
  timeOnDisk({ disk }: MergeObject): Time {
    if (disk === undefined) throw new MergeRefused('a directory that is not there has no time');
    return this.tree.timeOf(disk);
  }

  put(place: Place, object: MergeObject): void {
    if (this.at(place) !== undefined) throw new MergeRefused(`${place.name} is taken`);
    this.#set(place, object);
    see(object, place);
  }

  take(place: Place, object: MergeObject): void {
    if (this.at(place) !== object) throw new MergeRefused(`${place.name} is something else`);
    this.#set(place, undefined);
  }

  #set({ directory, name }: Place, object: MergeObject | undefined): void {
    const entries = this.#changed.get(directory) ?? new Map<string, MergeObject | undefined>();
    entries.set(name, object);
    this.#changed.set(directory, entries);
  }

  /** Names of the object that are known. A hard link that no update mentions is not among them. */
  placesOf(object: MergeObject): Place[] {
    return object.seen.filter((place) => this.at(place) === object);
  }

  placeOf(object: MergeObject): Place | undefined {
    return object.seen.find((place) => this.at(place) === object && this.isAlive(place.directory));
  }

  isAlive(object: MergeObject): boolean {
    return object.isRoot || this.placeOf(object) !== undefined;
  }

  /** @throws MergeRefused where the object has no name */
  pathOf(object: MergeObject): string {
    if (object.isRoot) return '';
    const place = this.placeOf(object);
    if (place === undefined) throw new MergeRefused('an object has no name any more');
    return this.path(place);
  }

  path({ directory, name }: Place): string {
    return join(this.pathOf(directory), name);
  }

  /** The place that a path names. @throws MergeRefused where there is no such directory, or the path is the root */
  place(path: string): Place {
    const names = path.split('/');
    const name = names.pop() ?? '';
    let directory = this.objects.root;
    for (const step of names) {
      const next = this.at({ directory, name: step });
      if (next?.isDirectory !== true) throw new MergeRefused(`there is no directory for ${path}`);
      directory = next;
    }
    if (name === '') throw new MergeRefused('the root has no name');
    return { directory, name };
  }

  /** Whether anything that an update mentions is in the directory. */
  hasEntries(directory: MergeObject): boolean {
    for (const object of this.#changed.get(directory)?.values() ?? []) {
      if (object !== undefined) return true;
    }
    return false;
  }

  /** Whether `object` is `directory` or stands above it. */
  isAbove(object: MergeObject, directory: MergeObject): boolean {
    for (let at: MergeObject | undefined = directory; at !== undefined;) {
      if (at === object) return true;
      at = at.isRoot ? undefined : this.placeOf(at)?.directory;
    }
    return false;
  }

  /** All places whose meaning differs, or once differed, from the disk. */
  *changed(): Iterable<Place> {
    for (const [directory, entries] of this.#changed) {
      for (const name of entries.keys()) yield { directory, name };
    }
  }
}

function see(object: MergeObject, place: Place): void {
  const known = object.seen.some((p) => p.directory === place.directory && p.name === place.name);
  if (!known) object.seen.push(place);
}

export function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}
