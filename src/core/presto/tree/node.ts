import type { Identity } from '../../cache/identity.js';
import { S_IFDIR, S_IFMT } from '../../system/attr.js';
import type { NodeId } from '../../fuse/port.js';
import type { Holder } from './descriptors.js';
import type { RangeSet } from '../contents/range-set.js';
import type { Unseen } from '../contents/unseen.js';

/**
 * One object of the lower tree that somebody refers to: the kernel (by lookups), an open file, a child that is referred
 * to itself, or an update in progress. It is reached by its parent's descriptor and its name, never by a whole path.
 */
export class Node implements Holder {
  /** Where it is found; `parent` is undefined for the root and for what has lost its last known name. */
  parent: Node | undefined = undefined;
  name = '';
  /** Further known names of a file with several hard links. Names the kernel never asked for are not known. */
  otherNames: { parent: Node; name: string }[] = [];
  /** Directories: the known children by name. */
  readonly children: Map<string, Node> | undefined;
  /**
   * Directories: an open descriptor (not O_PATH), or -1; see NodeTable.directoryFd. Others: an O_PATH descriptor that keeps
   * a nameless object reachable, or -1.
   */
  fd = -1;
  used = 0;
  /** References the kernel holds, by `id`. */
  lookups = 0;
  /** Directories: the same by numbers that it had before; undefined where there are none. See NodeTable.renumber. */
  former: Map<NodeId, number> | undefined = undefined;
  /** Directories: a peer has moved it, or one above, since the kernel was told of it. */
  elsewhere = false;
  /** References of updates in progress. */
  holds = 0;
  /** Open handles of any kind, and those of them that can write. */
  opens = 0;
  writers = 0;
  /** Open files that the kernel passes through, and its number for the lower file that it passes them to; see IoModes. */
  passing = 0;
  backing = 0;
  /** While it may be written without a request. */
  unseen: Unseen | undefined = undefined;
  /** It was read or written past the kernel's page cache since that was used: pages that are left there may be out of date. */
  bypassed = false;
  /** Slot in the LML while contents have been written and no CLOSE has been journaled; else -1. */
  dirtySlot = -1;
  /**
   * A peer's version has taken its name. An update that was looking at it meanwhile, waiting for the permit, is answered
   * ESTALE: the kernel then looks the name up again, and finds the new version.
   */
  replaced = false;
  /** The process that was last answered so when it opened it; 0 for none. */
  refused = 0;
  /** While what a peer has changed in it is not durable: makes it so. To be called before it is written to. */
  settle: (() => void) | undefined = undefined;
  /** What was written since the last CLOSE. */
  written: RangeSet | undefined = undefined;
  /** As the object's attribute says; undefined until first needed. */
  identity: Identity | undefined = undefined;
  /** Made since the node is here, and nobody has given it capabilities: the disk need not be asked before writes. */
  incapable = false;
  /** Directories: what the default ACL leaves of modes, -ENODATA where there is none; undefined until first needed. */
  defaultBits: number | undefined = undefined;
  /** Directories: see LowerTree.groupPassedOn; undefined until first needed. */
  passedGroup: number | undefined = undefined;
  /** The lower inode's generation number; -1 until first needed. */
  generation = -1;

  constructor(
    /** By which the kernel is told of it from now on. */
    public id: NodeId,
    /** The lower inode's number. */
    readonly ino: number,
    /** S_IFDIR, S_IFREG ...: an object never changes its kind. */
    readonly kind: number,
  ) {
    this.children = this.isDirectory ? new Map() : undefined;
  }

  get isDirectory(): boolean {
    return (this.kind & S_IFMT) === S_IFDIR;
  }

  /** Open files that use the kernel's page cache. */
  get cached(): number {
    return this.opens - this.passing;
  }

  /** The kernel holds on to it. */
  get isKnown(): boolean {
    return this.lookups > 0 || this.former !== undefined;
  }

  /** All numbers by which the kernel may know it. */
  get ids(): readonly NodeId[] {
    return this.former === undefined ? [this.id] : [this.id, ...this.former.keys()];
  }

  /** What has no name can be reached by its descriptor only. */
  get mayClose(): boolean {
    return this.isDirectory && this.parent !== undefined;
  }

  /** Nobody refers to it: it may be forgotten. */
  get unused(): boolean {
    return (
      !this.isKnown &&
      this.holds === 0 &&
      this.opens === 0 &&
      this.dirtySlot < 0 &&
      (this.children === undefined || this.children.size === 0)
    );
  }
}

/** The node's path from the fileset's root, as records have it; undefined where it has no name any more. */
export function pathOf(node: Node): string | undefined {
  if (node.id === 1) return '';
  let path = node.name;
  let at = node.parent;
  while (at !== undefined && at.id !== 1) {
    path = `${at.name}/${path}`;
    at = at.parent;
  }
  return at === undefined ? undefined : path;
}

/** The path of a name in a directory. */
export function childPath(directory: Node, name: string): string | undefined {
  const path = pathOf(directory);
  if (path === undefined) return undefined;
  return path === '' ? name : `${path}/${name}`;
}
