import { formatObjectId, ROOT_OBJECT, type ObjectId } from '../../model/ids.js';

/** A name in a directory, whichever paths lead to that. */
export interface Place {
  readonly directory: MergeObject;
  readonly name: string;
}

/** An object as a merge knows it: one for each id, whatever happens to its names. */
export class MergeObject {
  /** Where it is on the client now; undefined where it is not there, or nobody came by it yet. */
  disk: string | undefined;
  /** How many names it has there, by the last look. */
  links = 0;
  /** Every place where it was ever seen, in any of the trees. */
  readonly seen: Place[] = [];

  constructor(
    readonly id: ObjectId,
    readonly isDirectory: boolean,
  ) {}

  get isRoot(): boolean {
    return this.id.replica === ROOT_OBJECT.replica && this.id.number === ROOT_OBJECT.number;
  }
}

/** The objects of one merge, by their ids. */
export class MergeObjects {
  readonly #byId = new Map<string, MergeObject>();
  readonly root: MergeObject;

  constructor() {
    this.root = this.get(ROOT_OBJECT, true);
    this.root.disk = '';
  }

  get(id: ObjectId, isDirectory: boolean): MergeObject {
    const key = formatObjectId(id);
    let object = this.#byId.get(key);
    if (object === undefined) {
      object = new MergeObject(id, isDirectory);
      this.#byId.set(key, object);
    }
    return object;
  }
}

/** The histories do not fit the tree, or each other: nothing may be merged on a guess. */
export class MergeRefused extends Error {
  override readonly name = 'MergeRefused';
}
