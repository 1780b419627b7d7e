import { NO_OBJECT, NO_STAMP } from '../../model/ids.js';
import { Opcode, type RecordBody, type RecordHead } from '../../model/records.js';
import { MergeRefused, type MergeObject, type Place } from './merge-object.js';
import type { Merging } from './merging.js';
import type { ClientStep } from './outcome.js';
import type { TreeNames } from './tree-names.js';

interface Wish {
  readonly place: Place;
  readonly object: MergeObject;
}

/** How a new object comes to the client's tree. */
export type Making = (object: MergeObject, path: string, names: ClientNames) => ClientStep;

/**
 * Brings the names of the client's tree to those of the merged tree: what leaves, what comes, what moves; what is in each
 * other's way goes through a name of its own in the root.
 */
export class ClientNames {
  readonly steps: ClientStep[] = [];
  /** The client's tree as it is after the steps so far. */
  readonly #now: TreeNames;
  /** Objects of the server by the client's objects that become them. */
  readonly #carriers = new Map<MergeObject, MergeObject>();
  #leaving: Wish[] = [];
  #coming: Wish[] = [];
  readonly #comingCount = new Map<MergeObject, number>();
  readonly #leavingFrom = new Map<MergeObject, number>();
  readonly #leavingCount = new Map<MergeObject, number>();
  readonly #parkedAt = new Map<MergeObject, Place>();
  #parked = 0;

  constructor(
    private readonly merging: Merging,
    now: TreeNames,
    private readonly head: RecordHead,
    private readonly make: Making,
  ) {
    this.#now = now;
    for (const [ours, theirs] of merging.aliases) this.#carriers.set(theirs, ours);
  }

  /** Whether anything had to go through the root. */
  get usedRoot(): boolean {
    return this.#parked > 0;
  }

  pathOf(object: MergeObject): string {
    return this.#now.pathOf(this.#own(object));
  }

  run(): void {
    this.#compare();
    while (this.#leaving.length > 0 || this.#coming.length > 0) {
      const before = this.#leaving.length + this.#coming.length;
      this.#leaving = this.#leaving.filter((wish) => !this.#leave(wish));
      this.#coming = this.#coming.filter((wish) => !this.#come(wish));
      if (this.#leaving.length + this.#coming.length === before) this.#park();
    }
    // Its other name came to where this one was to go.
    for (const [own, place] of this.#parkedAt) this.#remove(own, place);
  }

  /** What the client has for an object of the merged tree. */
  #own(object: MergeObject): MergeObject {
    return this.#carriers.get(object) ?? object;
  }

  #ownPlace({ directory, name }: Place): Place {
    return { directory: this.#own(directory), name };
  }

  #compare(): void {
    const { merged } = this.merging;
    const seen = new Map<MergeObject, Set<string>>();
    for (const changed of merged.changed()) {
      const place = this.merging.canonicalPlace(changed);
      const names = seen.get(place.directory) ?? new Set();
      seen.set(place.directory, names);
      if (names.has(place.name)) continue;
      names.add(place.name);
      const on = this.#now.at(this.#ownPlace(place));
      const now = on === undefined ? undefined : this.merging.canonical(on);
      const then = merged.isAlive(place.directory) ? merged.at(place) : undefined;
      if (now === then) continue;
      if (now !== undefined) this.#wishLeaving({ place, object: now });
      if (then !== undefined) this.#wishComing({ place, object: then });
    }
    const depth = new Map<Wish, number>();
    for (const wish of this.#coming) depth.set(wish, merged.path(wish.place).split('/').length);
    this.#coming.sort((a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0));
  }

  #wishLeaving(wish: Wish): void {
    this.#leaving.push(wish);
    count(this.#leavingFrom, wish.place.directory, 1);
    count(this.#leavingCount, wish.object, 1);
  }

  #wishComing(wish: Wish): void {
    this.#coming.push(wish);
    count(this.#comingCount, wish.object, 1);
  }

  #left({ place, object }: Wish): void {
    count(this.#leavingFrom, place.directory, -1);
    count(this.#leavingCount, object, -1);
  }

  /** @returns whether it has left. */
  #leave(wish: Wish): boolean {
    const { object, place } = wish;
    const own = this.#own(object);
    if ((this.#comingCount.get(object) ?? 0) > 0) {
      const target = this.#coming.find((c) => c.object === object && this.#isFree(c));
      if (target === undefined) return false;
      this.#coming.splice(this.#coming.indexOf(target), 1);
      this.#rename(own, this.#ownPlace(place), this.#ownPlace(target.place));
      count(this.#comingCount, object, -1);
      this.#left(wish);
      return true;
    }
    if (object.isDirectory && (this.#leavingFrom.get(object) ?? 0) > 0) return false;
    const at = this.#ownPlace(place);
    if (this.merging.stored.has(own)) {
      this.steps.push({ type: 'store', object: own, path: this.#now.path(at) });
    }
    this.#remove(own, at);
    this.#left(wish);
    return true;
  }

  #remove(own: MergeObject, at: Place): void {
    const path = this.#now.path(at);
    this.#now.take(at, own);
    this.#record(own, { op: own.isDirectory ? Opcode.RMDIR : Opcode.UNLINK, path });
  }

  /** @returns whether it has come. */
  #come(wish: Wish): boolean {
    const { object } = wish;
    const own = this.#own(object);
    if (!this.#isFree(wish)) return false;
    const there = this.#now.placeOf(own);
    // It comes when it leaves.
    if (there !== undefined && (this.#leavingCount.get(object) ?? 0) > 0) return false;
    const place = this.#ownPlace(wish.place);
    const parked = this.#parkedAt.get(own);
    if (there === undefined) this.#made(object, place);
    else if (parked !== undefined) {
      this.#rename(own, parked, place);
      this.#parkedAt.delete(own);
    } else this.#link(own, there, place);
    count(this.#comingCount, object, -1);
    return true;
  }

  #made(object: MergeObject, place: Place): void {
    const path = this.#now.path(place);
    this.steps.push(this.make(object, path, this));
    this.#now.put(place, object);
  }

  #link(own: MergeObject, there: Place, place: Place): void {
    const path = this.#now.path(there);
    const newPath = this.#now.path(place);
    this.#now.put(place, own);
    this.#record(own, { op: Opcode.LINK, path, newPath });
  }

  /** The name is free, and its directory is there; nothing moves into itself. */
  #isFree({ place, object }: Wish): boolean {
    const at = this.#ownPlace(place);
    if (!this.#now.isAlive(at.directory) || this.#now.at(at) !== undefined) return false;
    return !object.isDirectory || !this.#now.isAbove(this.#own(object), at.directory);
  }

  #rename(own: MergeObject, from: Place, to: Place): void {
    const path = this.#now.path(from);
    const newPath = this.#now.path(to);
    this.#now.take(from, own);
    this.#now.put(to, own);
    const nothing = { replaced: NO_OBJECT, replacedStamp: NO_STAMP };
    this.#record(own, { op: Opcode.RENAME, path, newPath, flags: 0, ...nothing });
  }

  #record(own: MergeObject, body: RecordBody): void {
    this.steps.push({
      type: 'record',
      head: { ...this.head, object: this.merging.canonical(own).id },
      body,
    });
  }

  /** Something that others wait for gets out of the way. */
  #park(): void {
    const index = this.#leaving.findIndex((w) => (this.#comingCount.get(w.object) ?? 0) > 0);
    const wish = this.#leaving[index];
    if (wish === undefined) throw new MergeRefused('the trees do not fit each other');
    this.#leaving.splice(index, 1);
    this.#left(wish);
    const own = this.#own(wish.object);
    if (this.#parkedAt.has(own)) {
      this.#remove(own, this.#ownPlace(wish.place));
      return;
    }
    const { root } = this.#now.objects;
    let place: Place;
    do place = { directory: root, name: `${PARKED}${++this.#parked}` };
    while (this.#now.at(place) !== undefined);
    this.#rename(own, this.#ownPlace(wish.place), place);
    this.#parkedAt.set(own, place);
  }
}

const PARKED = '.izo-merge-';

function count(counts: Map<MergeObject, number>, object: MergeObject, by: number): void {
  counts.set(object, (counts.get(object) ?? 0) + by);
}
