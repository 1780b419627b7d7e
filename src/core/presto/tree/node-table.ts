import { assert } from '../../model/assert.js';
import { isReservedAtRoot } from '../../model/names.js';
import { ROOT_NODE, type NodeId } from '../../fuse/port.js';
import { Attr } from '../../system/attr.js';
import { E, ESTALE } from '../../system/errno.js';
import { openBeneath } from '../../system/beneath.js';
import { O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY, openat, stat } from '../../system/files.js';
import type { Descriptors } from './descriptors.js';
import { Node } from './node.js';

/**
 * The nodes that are referred to, by id, by lower inode and as a tree of names; and the way to each of them. What nobody
 * refers to is dropped, so the table is as large as what is in use, not as the fileset.
 */
export class NodeTable {
  readonly root: Node;
  readonly #byId = new Map<NodeId, Node>();
  readonly #byIno = new Map<number, Node>();
  /** Without a name, and kept by a descriptor: they take room on the disk for as long as somebody refers to them. */
  readonly #nameless = new Set<Node>();
  #nextId: NodeId = ROOT_NODE + 1;
  /** Nodes placed while a batch of peers' updates is applied: most of them nobody refers to afterwards. */
  #placed: Node[] | undefined;
  readonly #attr = new Attr();
  readonly #location = { fd: -1, name: '' };

  /** `rootFd`: the lower tree's root, open for as long as the table is used. */
  constructor(
    rootFd: number,
    readonly descriptors: Descriptors,
  ) {
    const result = stat(rootFd, '', this.#attr);
    assert(result === 0, 'the lower root is an open directory');
    this.root = new Node(ROOT_NODE, this.#attr.ino, this.#attr.mode);
    this.root.fd = rootFd;
    this.root.lookups = 1;
    this.#byId.set(ROOT_NODE, this.root);
    this.#byIno.set(this.root.ino, this.root);
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: NodeId): Node | undefined {
    return this.#byId.get(id);
  }

  /** Something takes room on the disk that has no name any more. */
  get keepsNameless(): boolean {
    return this.#nameless.size > 0;
  }

  /** All nodes with contents written and not yet closed; those first that have no name any more: they only give room back. */
  dirty(): Node[] {
    const dirty = [...this.#byId.values()].filter((node) => node.dirtySlot >= 0);
    const named = (node: Node): number => (node.parent === undefined ? 0 : 1);
    return dirty.sort((a, b) => named(a) - named(b));
  }

  /** A descriptor of a directory, or a negated errno. Stays open for what one request does; see Descriptors. */
  directoryFd(node: Node): number {
    if (node.fd < 0) {
      const fd = this.#openDirectory(node);
      if (fd < 0) return fd;
      this.descriptors.add(node, fd);
    } else if (node !== this.root) this.descriptors.use(node);
    return node.fd;
  }

  /** From the nearest directory above that is open, at once: those between are not opened, however many they are. */
  #openDirectory({ name, parent }: Node): number {
    let path = name;
    let above = parent;
    while (above !== undefined && above.fd < 0) {
      path = `${above.name}/${path}`;
      above = above.parent;
    }
    if (above === undefined) return -E.ENOENT;
    if (above !== this.root) this.descriptors.use(above);
    return openBeneath(above.fd, path, O_RDONLY | O_DIRECTORY);
  }

  /**
   * Where the object is reached with `*at` calls: a directory's descriptor and a name in it, or a descriptor of the
   * object itself and an empty name. The answer is one reused object. `fd` is a negated errno where it is lost.
   */
  locate(node: Node): { fd: number; name: string } {
    const at = this.#location;
    if (node.isDirectory || node.parent === undefined) {
      at.fd = node.isDirectory ? this.directoryFd(node) : node.fd < 0 ? -ESTALE : node.fd;
      at.name = '';
    } else {
      at.fd = this.directoryFd(node.parent);
      at.name = node.name;
    }
    return at;
  }

  /** Finds `name` in the lower directory. @returns the node, or a negated errno. `attr` gets its attributes. */
  find(parent: Node, name: string, attr: Attr): Node | number {
    if (parent === this.root && isReservedAtRoot(name)) return -E.ENOENT;
    const parentFd = this.directoryFd(parent);
    if (parentFd < 0) return parentFd;
    const result = stat(parentFd, name, attr);
    if (result < 0) return result;
    return this.place(parent, name, attr);
  }

  /** The node of what is known to stand at `name`; made where nobody referred to it yet. */
  place(parent: Node, name: string, attr: Attr): Node {
    const known = parent.children?.get(name);
    if (known?.ino === attr.ino) return known;
    // Somebody changed the lower tree behind our back; what is on disk now is what counts.
    if (known !== undefined) this.detach(parent, name);
    let node = this.#byIno.get(attr.ino);
    if (node === undefined) {
      node = new Node(this.#nextId++, attr.ino, attr.mode);
      this.#byId.set(node.id, node);
      this.#byIno.set(node.ino, node);
      this.#placed?.push(node);
    }
    this.#attach(node, parent, name);
    return node;
  }

  /** The node of a new file without a name, which `fd` has open; or a negated errno. */
  nameless(attr: Attr, fd: number): Node | number {
    const reached = openat(-100, `/proc/self/fd/${fd}`, O_PATH);
    if (reached < 0) return reached;
    const node = new Node(this.#nextId++, attr.ino, attr.mode);
    this.descriptors.add(node, reached);
    this.#byId.set(node.id, node);
    this.#byIno.set(node.ino, node);
    this.#nameless.add(node);
    return node;
  }

  #attach(node: Node, parent: Node, name: string): void {
    parent.children?.set(name, node);
    if (node.parent === undefined) {
      node.parent = parent;
      node.name = name;
      this.#nameless.delete(node);
      if (!node.isDirectory) this.descriptors.close(node);
    } else {
      node.otherNames.push({ parent, name });
    }
  }

  /** The child at `name` as far as it is known, without looking at the disk. */
  known(parent: Node, name: string): Node | undefined {
    return parent.children?.get(name);
  }

  /**
   * Call before a name is removed on disk: where it is the last one known and somebody holds on to the object, a
   * descriptor is opened by which it stays reachable. @returns a negated errno where it would be lost: keep the name then
   */
  pin(node: Node): number {
    if (
      node.fd >= 0 ||
      node.otherNames.length > 0 ||
      (!node.isKnown && node.opens === 0 && node.holds === 0 && node.dirtySlot < 0)
    ) {
      return 0;
    }
    if (node.isDirectory) return this.directoryFd(node);
    if (node.parent === undefined) return 0;
    const parentFd = this.directoryFd(node.parent);
    if (parentFd < 0) return parentFd;
    const fd = openat(parentFd, node.name, O_PATH | O_NOFOLLOW);
    if (fd >= 0) this.descriptors.add(node, fd);
    return fd;
  }

  /** Call after a name was removed on disk. */
  detach(parent: Node, name: string): void {
    const node = parent.children?.get(name);
    if (node === undefined) return;
    parent.children?.delete(name);
    if (node.parent === parent && node.name === name) {
      const other = node.otherNames.pop();
      node.parent = other?.parent;
      node.name = other?.name ?? '';
    } else {
      node.otherNames = node.otherNames.filter((n) => n.parent !== parent || n.name !== name);
    }
    // The inode's number may be given to another file from now on, unless a descriptor keeps the inode: then whoever finds
    // it by a name that nobody asked for before must get this node, and no second one for the same file.
    if (node.parent === undefined) {
      if (node.fd < 0) this.#forgetIno(node);
      else this.#nameless.add(node);
    }
    this.dropUnused(node);
    this.dropUnused(parent);
  }

  #forgetIno(node: Node): void {
    if (this.#byIno.get(node.ino) === node) this.#byIno.delete(node.ino);
  }

  /** Call after a rename on disk: `name` of `parent` is now `newName` of `newParent`, which was free or detached. */
  moved(parent: Node, name: string, newParent: Node, newName: string): void {
    const node = parent.children?.get(name);
    if (node === undefined) return;
    parent.children?.delete(name);
    newParent.children?.set(newName, node);
    if (node.parent === parent && node.name === name) {
      node.parent = newParent;
      node.name = newName;
    } else {
      const other = node.otherNames.find((n) => n.parent === parent && n.name === name);
      if (other !== undefined) {
        other.parent = newParent;
        other.name = newName;
      }
    }
    this.dropUnused(parent);
  }

  /** Call after an exchange on disk of two names. */
  exchanged(parent: Node, name: string, otherParent: Node, otherName: string): void {
    const a = parent.children?.get(name);
    const b = otherParent.children?.get(otherName);
    const rename = (node: Node | undefined, from: Node, old: string, to: Node, now: string) => {
      if (node?.parent === from && node.name === old) {
        node.parent = to;
        node.name = now;
      } else if (node !== undefined) {
        const entry = node.otherNames.find((n) => n.parent === from && n.name === old);
        if (entry !== undefined) Object.assign(entry, { parent: to, name: now });
      }
      if (node === undefined) to.children?.delete(now);
      else to.children?.set(now, node);
    };
    rename(a, parent, name, otherParent, otherName);
    rename(b, otherParent, otherName, parent, name);
  }

  /** From now on remembers which nodes are placed, until `sweep` drops those that nobody came to refer to. */
  collect(): void {
    this.#placed ??= [];
  }

  sweep(): void {
    const placed = this.#placed ?? [];
    this.#placed = undefined;
    for (const node of placed) this.dropUnused(node);
  }

  /** Keeps a node while an update works on it, although nobody else may refer to it. */
  hold(node: Node): void {
    node.holds++;
  }

  unhold(node: Node): void {
    node.holds--;
    this.dropUnused(node);
  }

  /** The kernel gives back `count` references by the number `id`. */
  forget(node: Node, count: number, id = node.id): void {
    const left = (id === node.id ? node.lookups : (node.former?.get(id) ?? 0)) - count;
    assert(left >= 0, 'the kernel forgets only what it was told');
    if (id === node.id) node.lookups = left;
    else if (left > 0) node.former?.set(id, left);
    else {
      node.former?.delete(id);
      if (node.former?.size === 0) node.former = undefined;
      this.#byId.delete(id);
    }
    this.dropUnused(node);
  }

  /** References that the kernel holds by a number. */
  lookupsOf(id: NodeId): number {
    const node = this.#byId.get(id);
    if (node === undefined) return 0;
    return id === node.id ? node.lookups : (node.former?.get(id) ?? 0);
  }

  /**
   * Gives a directory another number, so that the kernel takes it for one that it has not seen yet. The old one goes on to
   * mean the same directory to programs that are in it, until the kernel has forgotten it.
   */
  renumber(node: Node): void {
    if (node.lookups === 0) return;
    node.former ??= new Map();
    node.former.set(node.id, node.lookups);
    node.id = this.#nextId++;
    node.lookups = 0;
    node.elsewhere = false;
    this.#byId.set(node.id, node);
    // Those below are known below the old one.
    for (const child of node.children?.values() ?? []) child.elsewhere = child.isKnown;
  }

  /** Drops the node if nobody refers to it any more, and so on upwards. */
  dropUnused(start: Node): void {
    let node: Node | undefined = start;
    while (node !== undefined && node !== this.root && node.unused && this.#byId.has(node.id)) {
      const parent: Node | undefined = node.parent;
      this.#byId.delete(node.id);
      this.#nameless.delete(node);
      this.#forgetIno(node);
      parent?.children?.delete(node.name);
      for (const other of node.otherNames) {
        other.parent.children?.delete(other.name);
        this.dropUnused(other.parent);
      }
      node.otherNames = [];
      this.descriptors.close(node);
      node = parent;
    }
  }

  /** Closes every descriptor but the root's. */
  close(): void {
    for (const node of this.#byId.values()) {
      if (node !== this.root) this.descriptors.close(node);
    }
  }
}
