import { Attr } from '../../system/attr.js';
import { E } from '../../system/errno.js';
import { PARK, ROOT_NODE, type Entry, type FuseOperations, type NodeId } from '../port.js';

/** Directories remembered at most, but for those that the last request added. */
const DIRECTORIES = 4096;

/** What stands in text for bytes that are no UTF-8: the addon tells no more of them. */
const REPLACEMENT = '\uFFFD';

/** The bytes of a name or path; undefined where the addon could not bring them over. */
export function bytesOf(text: string): string | undefined {
  if (text.includes(REPLACEMENT)) return undefined;
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Instead of a node there may be a negated errno, or PARK. */
export function isNode(node: NodeId): boolean {
  return node > 0 && node !== PARK;
}

/**
 * From the paths of libfuse to the nodes of the port, by looking up name after name. Every lookup is given back: at the end
 * of the request, or when the kernel's file is closed.
 *
 * The directories on the way are remembered, each by its parent and name and with its lookup, so that whoever changes the
 * tree elsewhere tells us.
 */
export class Paths {
  readonly #directories = new Map<string, NodeId>();
  readonly #entry: Entry = { node: 0, generation: 0, attr: new Attr() };

  constructor(private readonly operations: FuseOperations) {}

  /** Does something to the object at a path. @returns the result, or why there is no such object. */
  at(path: string, act: (node: NodeId, attr: Attr) => number): number {
    const node = this.hold(path);
    if (!isNode(node)) return node;
    try {
      return act(node, this.#entry.attr);
    } finally {
      this.release(node);
    }
  }

  /** Does something to a name. The root has none. */
  in(path: string, act: (parent: NodeId, name: string) => number): number {
    const bytes = bytesOf(path);
    if (bytes === undefined) return -E.EILSEQ;
    const slash = bytes.lastIndexOf('/');
    const name = bytes.slice(slash + 1);
    if (name === '') return -E.EBUSY;
    const parent = this.#walk(bytes.slice(0, slash));
    return isNode(parent) ? act(parent, name) : parent;
  }

  /** The node at a path, to be given back with `release`. @returns a negated errno where there is none, or PARK. */
  hold(path: string): NodeId {
    if (path === '/') {
      const result = this.operations.getattr(ROOT_NODE, this.#entry.attr);
      return result === 0 ? ROOT_NODE : result;
    }
    return this.in(path, (parent, name) => this.#lookup(parent, name));
  }

  release(node: NodeId): void {
    if (node !== ROOT_NODE) this.operations.forget(node, 1);
  }

  #lookup(parent: NodeId, name: string): NodeId {
    this.#entry.node = 0;
    const result = this.operations.lookup(parent, name, this.#entry);
    if (result !== 0) return result;
    return this.#entry.node === 0 ? -E.ENOENT : this.#entry.node;
  }

  #walk(directories: string): NodeId {
    let node: NodeId = ROOT_NODE;
    for (const name of directories.split('/')) {
      if (name === '') continue;
      node = this.#enter(node, name);
      if (!isNode(node)) break;
    }
    return node;
  }

  #enter(parent: NodeId, name: string): NodeId {
    const key = `${parent}/${name}`;
    const known = this.#directories.get(key);
    if (known !== undefined) return known;
    const node = this.#lookup(parent, name);
    if (!isNode(node)) return node;
    if (!this.#entry.attr.isDirectory) {
      this.release(node);
      return -E.ENOTDIR;
    }
    this.#directories.set(key, node);
    return node;
  }

  /**
   * A name is, or may be, of something else from now on. Where it was a directory's, all directories are looked up anew:
   * nobody would tell us of changes below one that has been given back.
   */
  changed(parent: NodeId, name: string): void {
    if (this.#directories.has(`${parent}/${name}`)) this.forgetAll();
  }

  /** To be called between requests: within one, its nodes are counted on. */
  trim(): void {
    if (this.#directories.size >= DIRECTORIES) this.forgetAll();
  }

  forgetAll(): void {
    for (const node of this.#directories.values()) this.operations.forget(node, 1);
    this.#directories.clear();
  }
}
