import { MergeRefused, type MergeObject, type Place } from '../merge/merge-object.js';
import type { TreeNames } from '../merge/tree-names.js';

/** One change of a name in `directory`. */
export type Naming = { readonly object: MergeObject; readonly directory: MergeObject } & (
  | { readonly type: 'make' | 'remove'; readonly path: string }
  | { readonly type: 'link' | 'move'; readonly path: string; readonly newPath: string }
);

type Names = ReadonlyMap<string, MergeObject>;
type Places = ReadonlyMap<MergeObject, Names>;

interface Named {
  readonly object: MergeObject;
  readonly place: Place;
}

const PARKED = '.izo-resync-';
const NONE: Names = new Map();

/**
 * The changes of names that lead from one tree to another: what moves goes to a name in the root first, then leaves what is
 * gone, then everything comes to where it belongs. So nothing is ever in anything's way.
 */
export class NameChanges {
  readonly #steps: Naming[] = [];
  /** Where what moves waits. */
  readonly #parked = new Map<MergeObject, Place>();
  #count = 0;

  /** @param now the names that `from` has; afterwards those that `to` has. Both have directories before what is in them */
  constructor(
    private readonly now: TreeNames,
    private readonly from: Places,
    private readonly to: Places,
  ) {}

  steps(): readonly Naming[] {
    const leaving = difference(this.from, this.to);
    const coming = difference(this.to, this.from);
    const moving = new Set(coming.map(({ object }) => object));
    const staying = this.#staying();
    // What keeps a name is not moved: it gets further names, and loses some.
    const gone = leaving.filter((each) => {
      const { object } = each;
      if (!moving.has(object) || staying.has(object) || this.#parked.has(object)) return true;
      this.#park(each);
      return false;
    });
    for (const each of this.#deepestFirst(gone)) this.#remove(each);
    for (const each of coming) this.#come(each);
    return this.#steps;
  }

  #staying(): Set<MergeObject> {
    const staying = new Set<MergeObject>();
    for (const [directory, names] of this.from) {
      const there = this.to.get(directory);
      for (const [name, object] of names) if (there?.get(name) === object) staying.add(object);
    }
    return staying;
  }

  #deepestFirst(named: readonly Named[]): Named[] {
    const depth = new Map<Named, number>();
    for (const each of named) depth.set(each, this.now.path(each.place).split('/').length);
    return named.toSorted((a, b) => (depth.get(b) ?? 0) - (depth.get(a) ?? 0));
  }

  #park({ object, place }: Named): void {
    const { root } = this.now.objects;
    let to: Place;
    do to = { directory: root, name: `${PARKED}${++this.#count}` };
    while (this.now.at(to) !== undefined || this.to.get(root)?.has(to.name) === true);
    this.#move(object, place, to, place.directory);
    this.#parked.set(object, to);
  }

  #move(object: MergeObject, from: Place, to: Place, directory: MergeObject): void {
    const path = this.now.path(from);
    const newPath = this.now.path(to);
    this.now.take(from, object);
    this.now.put(to, object);
    this.#steps.push({ type: 'move', object, directory, path, newPath });
  }

  #remove({ object, place }: Named): void {
    const { directory } = place;
    const path = this.now.path(place);
    this.now.take(place, object);
    this.#steps.push({ type: 'remove', object, directory, path });
  }

  #come({ object, place }: Named): void {
    const { directory } = place;
    const parked = this.#parked.get(object);
    if (parked !== undefined) {
      this.#parked.delete(object);
      this.#move(object, parked, place, directory);
      return;
    }
    const there = this.now.placeOf(object);
    const newPath = this.now.path(place);
    if (there === undefined) {
      this.#steps.push({ type: 'make', object, directory, path: newPath });
    } else {
      if (object.isDirectory) throw new MergeRefused('a directory that has two names');
      const path = this.now.path(there);
      this.#steps.push({ type: 'link', object, directory, path, newPath });
    }
    this.now.put(place, object);
  }
}

/** Names of one tree that are not the other's, in the order of the one. */
function difference(one: Places, other: Places): Named[] {
  const named: Named[] = [];
  for (const [directory, names] of one) {
    const there = other.get(directory) ?? NONE;
    for (const [name, object] of names) {
      if (there.get(name) !== object) named.push({ object, place: { directory, name } });
    }
  }
  return named;
}
