import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileState, linkState, observe } from './notes.js';
import type { After, Note, State } from './notes.js';

/** A file or symbolic link, by all of its names. */
export interface Item {
  readonly names: Set<string>;
  /** Undefined: a symbolic link. */
  contents: Buffer | undefined;
  /** The link's target, or the value of the attribute. */
  text: string;
  /** The number of the last act that changed it, or its names. */
  act: number;
}

/** What an act changes besides what is at the paths. */
interface Effects {
  /** The file whose contents change in place. */
  readonly overwrites?: Item | undefined;
  readonly items?: readonly Item[];
  /** The directories that get or lose a name. */
  readonly directories?: readonly string[];
}

/** What one worker has made in its directory, and its notes of it. Paths are relative to the directory. */
export class Territory {
  readonly items = new Map<string, Item>();
  /** The last act in each directory. */
  readonly directories = new Map<string, number>([['.', 0]]);
  readonly dirty: number[] = [];
  wasFull = false;
  acts = 0;
  #names = 0;
  #state: number;
  readonly #notes: number;

  constructor(
    readonly root: string,
    notes: string,
    readonly seed: number,
  ) {
    this.#state = ((seed * 7919) % 2147483646) + 1;
    this.#notes = openSync(notes, 'a');
    this.#note({ synced: '', acts: 0 });
  }

  random(below: number): number {
    this.#state = (this.#state * 48271) % 2147483647;
    return this.#state % below;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.random(from.length)] as T;
  }

  full(path: string): string {
    return join(this.root, path);
  }

  get files(): string[] {
    return [...this.items.keys()].filter((path) => this.items.get(path)?.contents !== undefined);
  }

  item(path: string): Item {
    const item = this.items.get(path);
    if (item === undefined) throw new Error(`nothing is at ${path}`);
    return item;
  }

  newName(directory = this.pick([...this.directories.keys()])): string {
    return join(directory, `n${++this.#names}`);
  }

  /** Contents that no other file ever had. */
  newContents(size: number): Buffer {
    return Buffer.alloc(size, `${this.seed} ${++this.#names} ${this.acts}.`);
  }

  #note(line: Note): void {
    writeSync(this.#notes, `${JSON.stringify(line)}\n`);
  }

  /**
   * Does one act, noting it. It is one operation of the file system as far as names go.
   * @returns false where there was no space; then `after` has not come to be
   */
  perform(after: After, act: () => void, effects: Effects = {}): boolean {
    const { overwrites, items = [], directories = [] } = effects;
    const hash = overwrites?.contents && fileState(overwrites.contents, '').contents;
    this.#note(hash === undefined ? { doing: after } : { doing: after, overwrites: hash });
    this.acts++;
    const paths = Object.keys(after);
    for (const directory of directories) this.directories.set(directory, this.acts);
    for (const item of items) item.act = this.acts;
    try {
      act();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      this.wasFull = true;
      this.#note({ full: true });
      this.#note({ done: Object.fromEntries(paths.map((path) => [path, this.#observe(path)])) });
      return false;
    }
    this.wasFull = false;
    this.#note({ done: true });
    return true;
  }

  #observe(path: string): State | null {
    return observe(this.full(path));
  }

  isThere(path: string): boolean {
    return this.#observe(path) !== null;
  }

  /** `item` is on disk. */
  noteSynced(item: Item): void {
    this.#note({ synced: stateOf(item).contents, acts: item.act });
  }

  noteDirectorySynced(path: string): void {
    this.#note({ synced: '', acts: this.directories.get(path) ?? 0 });
  }
}

export function stateOf(item: Item): State {
  if (item.contents === undefined) return linkState(item.text);
  return fileState(item.contents, item.text);
}

/** The same state at all names of an item. */
export function everywhere(
  item: Item,
  state: State | null = stateOf(item),
): Record<string, State | null> {
  return Object.fromEntries([...item.names].map((name) => [name, state]));
}
