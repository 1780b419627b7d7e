import { newIdentity, type Identity } from '../../cache/identity.js';
import { NO_OBJECT, sameObject, sameStamp } from '../../model/ids.js';
import { decodeObjectFlags, FLAGS_XATTR } from '../../model/object-flags.js';
import {
  Opcode,
  stampOf,
  type CloseBody,
  type CreateBody,
  type MkdirBody,
  type MknodBody,
  type RenameBody,
  type SymlinkBody,
  type JournalRecord,
  type RecordBody,
  type Time,
} from '../../model/records.js';
import { Attr, S_IFDIR, S_IFLNK, S_IFREG } from '../../system/attr.js';
import { E, ENODATA, ESTALE } from '../../system/errno.js';
import { O_RDWR, close } from '../../system/files.js';
import type { LowerTree, Making } from '../tree/lower-tree.js';
import type { Node } from '../tree/node.js';
import type { Contents } from './peer-contents.js';
import type { Placement, Placing } from './placement.js';
import { resolve, resolveParent } from '../tree/resolve.js';

const RENAME_EXCHANGE = 2;

/** The tree is not what the record was made for: somebody changed it without the record's maker knowing. */
export const DIVERGED = -1_000_000;

/**
 * A peer's update, found its place in this tree: either done already (a record sent twice), or ready to be done.
 */
export interface Prepared {
  readonly done: boolean;
  /** The record's body as this host logs it: a CLOSE names this host's lower file. */
  readonly body: RecordBody;
  /** Changes the tree; what is done it gives the times that a crash may have kept from it. @returns 0 or a negated errno. */
  apply(): number;
  /** Names whose meaning changes, for the kernel's cache; parents as they are before and after. */
  readonly names: readonly { parent: Node; name: string }[];
  /** Objects whose attributes change; with `contents`, their pages too. */
  readonly nodes: readonly Node[];
  readonly contents: boolean;
  /** Lets go of what `prepare` opened. To be called in any case. */
  release(): void;
}

const NOTHING = { names: [], nodes: [], contents: false, release: () => undefined };

/**
 * Prepares records of peers for this tree. Applying is idempotent: the record at the boundary of what survived a crash
 * comes again and finds its work done.
 */
export class RemoteUpdates {
  readonly #attr = new Attr();

  constructor(
    private readonly tree: LowerTree,
    private readonly placement: Placement,
  ) {}

  /**
   * @param always attributes are set also where the object has that version already: a merge sets some of them again
   * @returns the plan, DIVERGED, or a negated errno.
   */
  prepare(
    record: JournalRecord,
    contents: Contents | undefined,
    always = false,
  ): Prepared | number {
    const { body } = record;
    switch (body.op) {
      case Opcode.NOOP:
        return { done: true, body, apply: () => 0, ...NOTHING };
      case Opcode.CREATE:
      case Opcode.MKDIR:
      case Opcode.MKNOD:
      case Opcode.SYMLINK:
        return this.#prepareMaking(record, body);
      case Opcode.LINK:
        return this.#prepareLink(record, body.path, body.newPath);
      case Opcode.UNLINK:
      case Opcode.RMDIR:
        return this.#prepareRemoval(record, body.path, body.op === Opcode.RMDIR);
      case Opcode.RENAME:
        return this.#prepareRename(record, body);
      case Opcode.CLOSE:
        return this.#prepareClose(record, body, contents);
      case Opcode.SETATTR:
      case Opcode.SETEXTATTR:
      case Opcode.DELEXTATTR:
        return this.#prepareAttributes(record, body, always);
    }
  }

  #prepareMaking(
    record: JournalRecord,
    body: CreateBody | MkdirBody | MknodBody | SymlinkBody,
  ): Prepared | number {
    const place = resolveParent(this.tree.table, body.path);
    if (typeof place === 'number') return place;
    const { parent, name } = place;
    const mode = 'mode' in body ? (body.mode & 0o7777) | kindOf(body) : S_IFLNK | 0o777;
    const flags = this.tree.identity.inheritedFlags(parent, mode);
    const making: Making = {
      time: record.head.time,
      mode,
      uid: body.uid,
      gid: body.gid,
      identity: newIdentity(record.head.object, stampOf(record), flags),
    };
    const apply = () => this.#make(parent, name, body, making);
    const plan = { body, apply, ...NOTHING, names: [place] };
    const existing = this.tree.table.find(parent, name, this.#attr);
    if (existing === -E.ENOENT) return { done: false, ...plan };
    if (typeof existing === 'number') return existing;
    const { object } = this.tree.identity.of(existing);
    if (sameObject(object, record.head.object)) {
      return { ...plan, ...this.#alreadyDone(making.time, parent) };
    }
    // A crash in the middle of making it: the name is there, its identity, which is written last, is not.
    const halfMade = sameObject(object, NO_OBJECT) && this.#isHalfMade(making);
    if (!halfMade) return DIVERGED;
    const again = () => {
      const gone = existing.isDirectory
        ? this.tree.rmdir(parent, name, making.time)
        : this.tree.unlink(parent, name, making.time);
      return gone < 0 ? gone : apply();
    };
    return { done: false, ...plan, apply: again };
  }

  /** Names have changed as the record says; the times of their directories come last, and may be missing. */
  #alreadyDone(time: Time, ...parents: readonly Node[]): Pick<Prepared, 'done' | 'apply'> {
    const apply = () => Math.min(...parents.map((p) => this.tree.touchAfterCrash(p, time)));
    return { done: true, apply };
  }

  /** What stands there (in #attr) can be the leftover of making it: the same kind, and empty. */
  #isHalfMade(making: Making): boolean {
    const { mode, size, isRegular } = this.#attr;
    return (mode & 0o170000) === (making.mode & 0o170000) && (!isRegular || size === 0);
  }

  #make(parent: Node, name: string, body: RecordBody, making: Making): number {
    switch (body.op) {
      case Opcode.CREATE: {
        const fd = this.tree.createFile(parent, name, O_RDWR, making);
        if (fd < 0) return fd;
        close(fd);
        return 0;
      }
      case Opcode.MKDIR:
        return this.tree.mkdir(parent, name, making);
      case Opcode.MKNOD:
        return this.tree.mknod(parent, name, body.rdev, making);
      case Opcode.SYMLINK:
        return this.tree.symlink(parent, name, body.target, making);
      default:
        return -E.EINVAL;
    }
  }

  #prepareLink(record: JournalRecord, path: string, newPath: string): Prepared | number {
    const place = resolveParent(this.tree.table, newPath);
    if (typeof place === 'number') return place;
    const node = resolve(this.tree.table, path);
    if (typeof node === 'number') return node;
    if (!this.#isObject(node, record)) return DIVERGED;
    const plan = { body: record.body, ...NOTHING, names: [place], nodes: [node] };
    const { parent, name } = place;
    const apply = () => this.tree.link(node, parent, name, record.head.time);
    const existing = this.tree.table.find(parent, name, this.#attr);
    if (existing === -E.ENOENT) return { done: false, apply, ...plan };
    if (typeof existing === 'number') return existing;
    return existing === node
      ? { ...plan, ...this.#alreadyDone(record.head.time, parent) }
      : DIVERGED;
  }

  #prepareRemoval(record: JournalRecord, path: string, directory: boolean): Prepared | number {
    const place = resolveParent(this.tree.table, path);
    if (typeof place === 'number') return place;
    const { parent, name } = place;
    const node = this.tree.table.find(parent, name, this.#attr);
    const plan = { body: record.body, ...NOTHING, names: [place] };
    const { time } = record.head;
    if (node === -E.ENOENT) return { ...plan, ...this.#alreadyDone(time, parent) };
    if (typeof node === 'number') return node;
    if (!this.#isObject(node, record) || isDirty(node)) return DIVERGED;
    const apply = () =>
      directory ? this.tree.rmdir(parent, name, time) : this.tree.unlink(parent, name, time);
    return { done: false, apply, ...plan, nodes: directory ? [] : [node] };
  }

  /** The object is the record's; objects of before the fileset was one may have no identity on either side. */
  #isObject(node: Node, record: JournalRecord): boolean {
    const { object } = this.tree.identity.of(node);
    return sameObject(object, record.head.object) || sameObject(object, NO_OBJECT);
  }

  #prepareRename(record: JournalRecord, body: RenameBody): Prepared | number {
    const { table } = this.tree;
    const from = resolveParent(table, body.path);
    if (typeof from === 'number') return from;
    const to = resolveParent(table, body.newPath);
    if (typeof to === 'number') return to;
    const node = table.find(from.parent, from.name, this.#attr);
    const target = table.find(to.parent, to.name, this.#attr);
    const plan = { body, ...NOTHING, names: [from, to] };
    const { time } = record.head;
    const apply = () => {
      const { parent, name } = from;
      const moved = this.tree.rename(parent, name, to.parent, to.name, body.flags, time);
      for (const each of [node, target]) {
        if (moved >= 0 && typeof each !== 'number') each.elsewhere = each.isKnown;
      }
      return moved;
    };
    const exchange = (body.flags & RENAME_EXCHANGE) !== 0;
    if (
      typeof target !== 'number' &&
      sameObject(this.tree.identity.of(target).object, record.head.object)
    ) {
      // It stands where it was to go: done, unless that is a second name of the same file.
      if (typeof node === 'number' || exchange || node !== target) {
        return { ...plan, ...this.#alreadyDone(time, from.parent, to.parent) };
      }
    }
    if (typeof node === 'number') return node === -E.ENOENT ? DIVERGED : node;
    if (!this.#isObject(node, record)) return DIVERGED;
    const expected = body.replaced;
    if (typeof target === 'number') {
      if (target !== -E.ENOENT) return target;
      if (!sameObject(expected, NO_OBJECT) && exchange) return DIVERGED;
    } else if (!sameObject(this.tree.identity.of(target).object, expected) || isDirty(target)) {
      return DIVERGED;
    }
    return { done: false, apply, ...plan, nodes: typeof target === 'number' ? [] : [target] };
  }

  #prepareAttributes(record: JournalRecord, body: RecordBody, always: boolean): Prepared | number {
    if (body.op === Opcode.NOOP) return -E.EINVAL;
    const node = resolve(this.tree.table, body.path);
    if (typeof node === 'number') return node;
    if (!this.#isObject(node, record)) return DIVERGED;
    const stamp = stampOf(record);
    const old = this.tree.identity.of(node);
    const { object } = record.head;
    const flags = flagsSetBy(body) ?? old.flags;
    const identity: Identity = { ...old, object, attributes: stamp, flags };
    const apply = () => {
      const result = this.#changeAttributes(node, body);
      return result < 0 ? result : this.tree.identity.write(node, identity);
    };
    const done = !always && sameStamp(old.attributes, stamp);
    return { done, body, apply: done ? () => 0 : apply, ...NOTHING, nodes: [node] };
  }

  #changeAttributes(node: Node, body: RecordBody): number {
    if (body.op === Opcode.SETATTR) return this.tree.setattr(node, body);
    // Kept with the identity, which is written next.
    if (flagsSetBy(body) !== undefined) return 0;
    // CREATE and REPLACE were the maker's questions; here the answer is known.
    if (body.op === Opcode.SETEXTATTR) return this.tree.setxattr(node, body.name, body.value);
    if (body.op !== Opcode.DELEXTATTR) return -E.EINVAL;
    const result = this.tree.removexattr(node, body.name);
    return result === -ENODATA ? 0 : result;
  }

  #prepareClose(
    record: JournalRecord,
    body: CloseBody,
    contents: Contents | undefined,
  ): Prepared | number {
    // Superseded at the sender before it could be read: a later CLOSE brings newer contents.
    if (contents === undefined)
      return { done: true, body: { ...body, handle: NO_HANDLE }, apply: () => 0, ...NOTHING };
    const node = resolve(this.tree.table, body.path);
    if (typeof node === 'number') return node;
    if (!this.#isObject(node, record) || isDirty(node)) return DIVERGED;
    const stamp = stampOf(record);
    const old = this.tree.identity.of(node);
    const { parent, name } = node;
    if (parent === undefined) return -E.EISDIR;
    if (sameStamp(old.content, stamp)) {
      const handle = { ino: node.ino, generation: Math.max(0, node.generation) };
      return { done: true, body: { ...body, handle }, apply: () => 0, ...NOTHING, nodes: [node] };
    }
    if (contents.kind === 'patch') {
      const fits = sameStamp(old.content, contents.base) && contents.ino === node.ino;
      if (!fits) return -ESTALE;
    }
    const identity: Identity = { ...old, object: record.head.object, content: stamp };
    const stageName = `${record.head.origin.toString(16)}-${record.head.originRecno}`;
    const placing = this.placement.prepare(node, contents, stageName);
    if (typeof placing === 'number') return placing;
    return this.#closePlan(node, { parent, name }, placing, contents, body, identity);
  }

  #closePlan(
    node: Node,
    place: { parent: Node; name: string },
    placing: Placing,
    contents: Contents,
    body: CloseBody,
    identity: Identity,
  ): Prepared {
    const handle = { ino: placing.ino, generation: placing.generation };
    return {
      done: false,
      body: { ...body, handle, ranges: [...body.ranges] },
      apply: () => this.placement.commit(node, placing, contents, body, identity),
      names: placing.staged === undefined ? [] : [place],
      nodes: placing.staged === undefined ? [node] : [],
      contents: placing.staged === undefined,
      release: () => close(placing.fd),
    };
  }
}

/** Written here, and there was no room in the log to tell of it before the permit left: nobody has seen that version. */
function isDirty(node: Node): boolean {
  return node.dirtySlot >= 0;
}

const NO_HANDLE = { ino: 0, generation: 0 };

function flagsSetBy(body: RecordBody): number | undefined {
  const sets = body.op === Opcode.SETEXTATTR && body.name === FLAGS_XATTR;
  return sets ? decodeObjectFlags(body.value) : undefined;
}

function kindOf(body: RecordBody): number {
  if (body.op === Opcode.MKDIR) return S_IFDIR;
  if (body.op === Opcode.MKNOD) return body.mode & 0o170000;
  return S_IFREG;
}
