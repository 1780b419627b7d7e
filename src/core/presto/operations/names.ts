import { newOpened, type Caller, type Entry, type NodeId, type Opened } from '../../fuse/port.js';
import { NO_OBJECT, NO_STAMP } from '../../model/ids.js';
import { isReservedAtRoot } from '../../model/names.js';
import { LIMITS } from '../../model/limits.js';
import { Opcode, type RecordBody } from '../../model/records.js';
import { newIdentity } from '../../cache/identity.js';
import { Attr, S_IFDIR, S_IFMT, S_IFREG } from '../../system/attr.js';
import { E } from '../../system/errno.js';
import { O_EXCL, O_RDONLY } from '../../system/files.js';
import type { PrestoCore } from '../core.js';
import { anyPathOf } from '../tree/find-by-inode.js';
import { NOBODY, type Making } from '../tree/lower-tree.js';
import { childPath, type Node } from '../tree/node.js';
import type { FileOperations } from './files.js';
import { ownMode, SYMLINK, type Wanted } from './inherited-mode.js';
import { lowerFlags } from '../tree/lower-flags.js';
import type { NamelessOperations } from './nameless.js';

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

/** Finding, making, moving and removing names. */
export class NameOperations {
  readonly #attr = new Attr();

  constructor(
    private readonly core: PrestoCore,
    private readonly files: FileOperations,
    private readonly nameless: NamelessOperations,
  ) {}

  lookup(parent: NodeId, name: string, out: Entry): number {
    const directory = this.core.table.get(parent);
    if (directory === undefined) return -E.ENOENT;
    const found = this.core.table.find(directory, name, out.attr);
    if (typeof found === 'number') {
      if (found !== -E.ENOENT) return found;
      out.node = 0;
      return 0;
    }
    this.#answer(found, out);
    return 0;
  }

  /** What a name stands for. What the table knows, the disk need not be asked: nobody else changes the lower tree. */
  #at(directory: Node, name: string): Node | number {
    const { table } = this.core;
    return table.known(directory, name) ?? table.find(directory, name, this.#attr);
  }

  #answer(node: Node, out: Entry): void {
    if (node.elsewhere && node.isDirectory && this.core.isContested()) {
      this.core.table.renumber(node);
    }
    node.lookups++;
    out.node = node.id;
    out.generation = 0;
  }

  forget(id: NodeId, count: number): void {
    const node = this.core.table.get(id);
    if (node !== undefined && node !== this.core.table.root)
      this.core.table.forget(node, count, id);
  }

  isKnown(id: NodeId): boolean {
    return this.core.table.lookupsOf(id) > 0;
  }

  isDirectory(parent: NodeId, name: string): boolean {
    const directory = this.core.table.get(parent);
    const found = directory === undefined ? -E.ENOENT : this.#at(directory, name);
    return typeof found !== 'number' && found.isDirectory;
  }

  create(
    caller: Caller,
    parent: NodeId,
    name: string,
    mode: number,
    umask: number,
    flags: number,
    out: Entry,
    opened: Opened,
  ): number {
    const wanted = { mode: (mode & 0o7777) | S_IFREG, umask };
    let fd = -1;
    const result = this.#make(caller, parent, name, wanted, (directory, path, making) => ({
      body: {
        op: Opcode.CREATE,
        path,
        mode: making.mode & 0o7777,
        uid: making.uid,
        gid: making.gid,
      },
      apply: () => {
        fd = this.core.tree.createFile(directory, name, lowerFlags(flags), making);
        return Math.min(fd, 0);
      },
    }));
    if (result === -E.EEXIST && (flags & O_EXCL) === 0) {
      // A peer's update made the name after the kernel had looked: then create(2) opens it.
      return this.#openExisting(caller, parent, name, flags, out, opened);
    }
    if (result !== 0) return result;
    const node = this.#made(parent, name, out);
    if (node === undefined) return -E.EIO;
    return this.files.opened(caller, node, fd, flags, opened);
  }

  #openExisting(
    caller: Caller,
    parent: NodeId,
    name: string,
    flags: number,
    out: Entry,
    opened: Opened,
  ): number {
    const found = this.lookup(parent, name, out);
    if (found !== 0) return found;
    if (out.node === 0) return -E.ENOENT;
    const result = this.files.open(caller, out.node, flags, opened);
    if (result !== 0) this.forget(out.node, 1);
    return result;
  }

  mkdir(
    caller: Caller,
    parent: NodeId,
    name: string,
    mode: number,
    umask: number,
    out: Entry,
  ): number {
    const wanted = { mode: (mode & 0o7777) | S_IFDIR, umask };
    const result = this.#make(caller, parent, name, wanted, (directory, path, making) => ({
      body: {
        op: Opcode.MKDIR,
        path,
        mode: making.mode & 0o7777,
        uid: making.uid,
        gid: making.gid,
      },
      apply: () => this.core.tree.mkdir(directory, name, making),
    }));
    return this.#finish(result, parent, name, out);
  }

  mknod(
    caller: Caller,
    parent: NodeId,
    name: string,
    mode: number,
    umask: number,
    rdev: number,
    out: Entry,
  ): number {
    if ((mode & S_IFMT) === S_IFREG) return this.#mkfile(caller, parent, name, mode, umask, out);
    const result = this.#make(caller, parent, name, { mode, umask }, (directory, path, making) => ({
      body: { op: Opcode.MKNOD, path, mode: making.mode, uid: making.uid, gid: making.gid, rdev },
      apply: () => this.core.tree.mknod(directory, name, rdev, making),
    }));
    return this.#finish(result, parent, name, out);
  }

  /** mknod(2) of a regular file. */
  #mkfile(
    caller: Caller,
    parent: NodeId,
    name: string,
    mode: number,
    umask: number,
    out: Entry,
  ): number {
    const opened = newOpened();
    const result = this.create(caller, parent, name, mode, umask, O_RDONLY | O_EXCL, out, opened);
    if (result === 0) this.files.release(caller, out.node, opened.handle);
    return result;
  }

  symlink(caller: Caller, parent: NodeId, name: string, target: string, out: Entry): number {
    if (target.length > LIMITS.targetBytes) return -E.ENAMETOOLONG;
    const result = this.#make(caller, parent, name, SYMLINK, (directory, path, making) => ({
      body: { op: Opcode.SYMLINK, path, target, uid: making.uid, gid: making.gid },
      apply: () => this.core.tree.symlink(directory, name, target, making),
    }));
    return this.#finish(result, parent, name, out);
  }

  /** What all makers share: permit, path, owner and mode as Linux decides them, record, act. */
  #make(
    caller: Caller,
    parent: NodeId,
    name: string,
    wanted: Wanted,
    plan: (
      directory: Node,
      path: string,
      making: Making,
    ) => { body: RecordBody; apply: () => number },
  ): number {
    const { core } = this;
    const directory = core.table.get(parent);
    if (directory === undefined) return -E.ENOENT;
    const path = this.#newPath(directory, name);
    if (typeof path === 'number') return path;
    const permit = core.gate.enter();
    if (permit !== 0) return permit;
    core.returning.isBack(caller);
    const allowed = core.guard.add(directory);
    if (allowed !== 0) return allowed;
    const group = core.tree.groupPassedOn(directory);
    if (group < 0) return group;
    const mode = ownMode(core.tree, caller, directory, group, wanted);
    if (mode < 0) return mode;
    const update = core.updates.next();
    const { replica, recno } = update.stamp;
    const making: Making = {
      time: update.time,
      mode,
      uid: caller.uid,
      gid: group === NOBODY ? caller.gid : group,
      identity: newIdentity(
        { replica, number: recno },
        update.stamp,
        core.tree.identity.inheritedFlags(directory, mode),
      ),
    };
    const { body, apply } = plan(directory, path, making);
    const { object } = making.identity;
    const result = core.updates.perform(caller, update, object, NO_STAMP, body, apply);
    return core.guard.settled(result, directory);
  }

  /** A path for a new name; or why there is none. */
  #newPath(directory: Node, name: string): string | number {
    if (directory === this.core.table.root && isReservedAtRoot(name)) return -E.EPERM;
    if (name.length > LIMITS.nameBytes) return -E.ENAMETOOLONG;
    const path = childPath(directory, name);
    if (path === undefined) return -E.ENOENT;
    return path.length > LIMITS.pathBytes ? -E.ENAMETOOLONG : path;
  }

  #finish(result: number, parent: NodeId, name: string, out: Entry): number {
    if (result !== 0) return result;
    return this.#made(parent, name, out) === undefined ? -E.EIO : 0;
  }

  #made(parent: NodeId, name: string, out: Entry): Node | undefined {
    const directory = this.core.table.get(parent);
    const node = directory === undefined ? undefined : this.core.table.known(directory, name);
    if (node === undefined) return undefined;
    Object.assign(out.attr, this.core.tree.attr);
    this.#answer(node, out);
    return node;
  }

  link(caller: Caller, id: NodeId, newParent: NodeId, newName: string, out: Entry): number {
    const { core } = this;
    const node = core.table.get(id);
    const directory = core.table.get(newParent);
    if (node === undefined || directory === undefined) return -E.ENOENT;
    const newPath = this.#newPath(directory, newName);
    if (typeof newPath === 'number') return newPath;
    const permit = core.gate.enter();
    if (permit !== 0) return permit;
    if (node.replaced) return core.returning.sendBack(caller);
    core.returning.isBack(caller);
    const allowed = core.guard.add(directory) || core.guard.change(node);
    if (allowed !== 0) return allowed;
    const path = anyPathOf(core.tree, node);
    if (path === undefined) {
      const named = this.nameless.link(caller, node, directory, newName, newPath);
      return this.#finish(named, newParent, newName, out);
    }
    const update = core.updates.next();
    const { object, content } = core.tree.identity.forUpdate(node, update.stamp);
    const body: RecordBody = { op: Opcode.LINK, path, newPath };
    const result = core.updates.perform(caller, update, object, content, body, () =>
      core.tree.link(node, directory, newName, update.time),
    );
    return this.#finish(core.guard.settled(result, directory), newParent, newName, out);
  }

  unlink(caller: Caller, parent: NodeId, name: string): number {
    return this.#remove(caller, parent, name, false);
  }

  rmdir(caller: Caller, parent: NodeId, name: string): number {
    return this.#remove(caller, parent, name, true);
  }

  #remove(caller: Caller, parent: NodeId, name: string, directories: boolean): number {
    const { core } = this;
    const directory = core.table.get(parent);
    if (directory === undefined) return -E.ENOENT;
    const path = this.#newPath(directory, name);
    if (typeof path === 'number') return path;
    const permit = core.gate.enter();
    if (permit !== 0) return permit;
    const node = this.#at(directory, name);
    if (typeof node === 'number') return node;
    const allowed = core.guard.remove(directory, node);
    if (allowed !== 0) return allowed;
    const update = core.updates.next();
    const { object, content } = core.tree.identity.of(node);
    const body: RecordBody = { op: directories ? Opcode.RMDIR : Opcode.UNLINK, path };
    const result = core.updates.perform(caller, update, object, content, body, () =>
      directories
        ? core.tree.rmdir(directory, name, update.time)
        : core.tree.unlink(directory, name, update.time),
    );
    // What waited for room for its CLOSE, and is gone now, must not keep its own room.
    if (result >= 0 && node.dirtySlot >= 0 && node.opens === 0 && node.parent === undefined) {
      core.contents.closeUnopened(node, caller);
    }
    core.table.dropUnused(node);
    return core.guard.settled(result, directory);
  }

  rename(
    caller: Caller,
    parent: NodeId,
    name: string,
    newParent: NodeId,
    newName: string,
    flags: number,
  ): number {
    const { core } = this;
    if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) return -E.EINVAL;
    const from = core.table.get(parent);
    const to = core.table.get(newParent);
    if (from === undefined || to === undefined) return -E.ENOENT;
    const path = this.#newPath(from, name);
    if (typeof path === 'number') return path;
    const newPath = this.#newPath(to, newName);
    if (typeof newPath === 'number') return newPath;
    const permit = core.gate.enter();
    if (permit !== 0) return permit;
    const node = this.#at(from, name);
    if (typeof node === 'number') return node;
    const target = this.#at(to, newName);
    if (typeof target === 'number' && target !== -E.ENOENT) return target;
    const { guard } = core;
    const replaces = typeof target === 'number' ? guard.add(to) : guard.remove(to, target);
    const allowed = guard.remove(from, node) || replaces;
    if (allowed !== 0) return allowed;
    const update = core.updates.next();
    const { identity } = core.tree;
    const { object, content } = identity.forUpdate(node, update.stamp);
    const body: RecordBody = {
      op: Opcode.RENAME,
      path,
      newPath,
      flags,
      replaced: typeof target === 'number' ? NO_OBJECT : identity.of(target).object,
      replacedStamp: typeof target === 'number' ? NO_STAMP : identity.of(target).content,
    };
    // Two names of one file: POSIX has it that nothing happens, so there is nothing to journal either.
    if (target === node && (flags & RENAME_EXCHANGE) === 0) {
      return (flags & RENAME_NOREPLACE) !== 0 ? -E.EEXIST : 0;
    }
    const result = core.updates.perform(caller, update, object, content, body, () =>
      core.tree.rename(from, name, to, newName, flags, update.time),
    );
    core.table.dropUnused(node);
    if (typeof target !== 'number') core.table.dropUnused(target);
    return guard.settled(result, from, to);
  }
}
