import { IDENTITY_XATTR } from '../../cache/identity.js';
import { SetattrValid, type AttrChange, type Caller, type NodeId } from '../../fuse/port.js';
import { LIMITS } from '../../model/limits.js';
import { FLAGS_XATTR } from '../../model/object-flags.js';
import { AttrMask, Opcode, type RecordBody, type SetattrBody } from '../../model/records.js';
import type { Attr } from '../../system/attr.js';
import { Capability, isCapable } from '../../system/credentials.js';
import { E, ENODATA } from '../../system/errno.js';
import { readlinkat } from '../../system/files.js';
import { copyMemory, Memory } from '../../system/native.js';
import { getxattrAt, listxattrAt } from '../../system/xattrs.js';
import type { PrestoCore } from '../core.js';
import { CAPABILITIES } from '../tree/lower-tree.js';
import { anyPathOf } from '../tree/find-by-inode.js';
import type { Node } from '../tree/node.js';

const NO_TIME = { sec: 0, nsec: 0 };

/** Attributes, link targets and extended attributes. */
export class AttributeOperations {
  readonly #names = new Memory(LIMITS.xattrValueBytes);

  constructor(private readonly core: PrestoCore) {}

  getattr(id: NodeId, out: Attr): number {
    const node = this.core.table.get(id);
    return node === undefined ? -E.ENOENT : this.core.tree.stat(node, out);
  }

  setattr(caller: Caller, id: NodeId, change: AttrChange, out: Attr): number {
    const { core } = this;
    const node = core.table.get(id);
    if (node === undefined) return -E.ENOENT;
    const permit = core.gate.enter();
    if (permit !== 0) return permit;
    if (node.replaced) return core.returning.sendBack(caller);
    core.returning.isBack(caller);
    const allowed = core.guard.change(node, isTouch(change));
    if (allowed !== 0) return allowed;
    if ((change.valid & SetattrValid.size) !== 0) {
      const result = this.#resize(caller, node, change);
      if (result < 0) return result;
    }
    const result = core.guard.settled(this.#change(caller, node, change), node);
    return result < 0 ? result : core.tree.stat(node, out);
  }

  #resize(caller: Caller, node: Node, change: AttrChange): number {
    const { core } = this;
    const handle = (change.valid & SetattrValid.handle) !== 0 ? change.handle : 0;
    const file = core.files.get(handle);
    const fd = file?.writable === true ? core.tree.descriptorOf(file) : -1;
    return core.contents.truncate(node, change.size, caller, fd);
  }

  #change(caller: Caller, node: Node, change: AttrChange): number {
    const { core } = this;
    const path = anyPathOf(core.tree, node);
    const update = core.updates.next();
    const body = setattrBody(change, path ?? '', update.time);
    if (body.valid === 0) return 0;
    // Nobody will ever see the attributes of an object without a name but those who hold it open here.
    if (path === undefined) return core.tree.setattr(node, body);
    const identity = core.tree.identity.forUpdate(node, update.stamp);
    const { object, attributes } = identity;
    return core.updates.perform(caller, update, object, attributes, body, () => {
      const result = core.tree.setattr(node, body);
      if (result < 0) return result;
      return core.tree.identity.write(node, { ...identity, attributes: update.stamp });
    });
  }

  readlink(id: NodeId, address: number, size: number): number {
    const node = this.core.table.get(id);
    if (node === undefined) return -E.ENOENT;
    const at = this.core.table.locate(node);
    return at.fd < 0 ? at.fd : readlinkat(at.fd, at.name, address, size);
  }

  getxattr(id: NodeId, name: string, address: number, size: number): number {
    const node = this.core.table.get(id);
    if (node === undefined) return -E.ENOENT;
    if (name === IDENTITY_XATTR) return -ENODATA;
    // The kernel asks before the first write to each file.
    if (node.incapable && name === CAPABILITIES) return -ENODATA;
    const at = this.core.table.locate(node);
    return at.fd < 0 ? at.fd : getxattrAt(at.fd, at.name, name, address, size);
  }

  listxattr(caller: Caller, id: NodeId, address: number, size: number): number {
    const node = this.core.table.get(id);
    if (node === undefined) return -E.ENOENT;
    const at = this.core.table.locate(node);
    if (at.fd < 0) return at.fd;
    const names = this.#names;
    const length = listxattrAt(at.fd, at.name, names.address, names.length);
    if (length < 0) return length;
    const all = names.buffer.toString('latin1', 0, length);
    const shown = shownTo(caller, all.replace(`${IDENTITY_XATTR}\0`, ''));
    if (size === 0) return shown.length;
    if (shown.length > size) return -E.ERANGE;
    names.buffer.write(shown, 0, 'latin1');
    return copyMemory(names.address, address, shown.length);
  }

  setxattr(caller: Caller, id: NodeId, name: string, value: Buffer, flags: number): number {
    if (name === IDENTITY_XATTR) return -E.EPERM;
    if (name === FLAGS_XATTR) return -E.EOPNOTSUPP;
    if (value.length > LIMITS.xattrValueBytes) return -E.E2BIG;
    return this.#changeXattr(caller, id, name, (path) => ({
      // The binding's buffer is used again for the next request.
      body: { op: Opcode.SETEXTATTR, path, name, value: Buffer.from(value), flags },
      apply: (node) => this.core.tree.setxattr(node, name, value, flags),
    }));
  }

  removexattr(caller: Caller, id: NodeId, name: string): number {
    if (name === IDENTITY_XATTR) return -ENODATA;
    if (name === FLAGS_XATTR) return -E.EOPNOTSUPP;
    return this.#changeXattr(caller, id, name, (path) => ({
      body: { op: Opcode.DELEXTATTR, path, name },
      apply: (node) => this.core.tree.removexattr(node, name),
    }));
  }

  #changeXattr(
    caller: Caller,
    id: NodeId,
    name: string,
    plan: (path: string) => { body: RecordBody; apply: (node: Node) => number },
  ): number {
    const { core } = this;
    const node = core.table.get(id);
    if (node === undefined) return -E.ENOENT;
    const permit = core.gate.enter();
    if (permit !== 0) return permit;
    if (node.replaced) return core.returning.sendBack(caller);
    core.returning.isBack(caller);
    const allowed = core.guard.change(node);
    if (allowed !== 0) return allowed;
    // The first write after a CLOSE takes them away: what was written before must not, on any replica.
    const closed = name === CAPABILITIES ? core.contents.closeUnopened(node, caller) : 0;
    if (closed < 0) return closed;
    const path = anyPathOf(core.tree, node);
    const { body, apply } = plan(path ?? '');
    if (path === undefined) return apply(node);
    const update = core.updates.next();
    const identity = core.tree.identity.forUpdate(node, update.stamp);
    const { object, attributes } = identity;
    const changed = core.updates.perform(caller, update, object, attributes, body, () => {
      const result = apply(node);
      if (result < 0) return result;
      return core.tree.identity.write(node, { ...identity, attributes: update.stamp });
    });
    return core.guard.settled(changed, node);
  }
}

/** As ext4 lists attributes: those of `trusted.` are there for CAP_SYS_ADMIN only. */
function shownTo(caller: Caller, names: string): string {
  if (!names.includes('trusted.') || isCapable(caller, Capability.SYS_ADMIN)) return names;
  return names
    .split('\0')
    .filter((name) => !name.startsWith('trusted.'))
    .join('\0');
}

/** Whoever may write a file may do this, and only this, to its attributes: utimensat(2) without times. */
function isTouch({ valid }: AttrChange): boolean {
  const { atime, mtime, atimeNow, mtimeNow } = SetattrValid;
  return (
    (valid & ~(atime | mtime | atimeNow | mtimeNow)) === 0 &&
    ((valid & atime) === 0) === ((valid & atimeNow) === 0) &&
    ((valid & mtime) === 0) === ((valid & mtimeNow) === 0)
  );
}

/** The kernel's wishes as a record has them: "now" becomes the time of the update. */
function setattrBody(
  change: AttrChange,
  path: string,
  time: { sec: number; nsec: number },
): SetattrBody {
  const has = (bit: number) => (change.valid & bit) !== 0;
  const valid =
    (has(SetattrValid.mode) ? AttrMask.mode : 0) |
    (has(SetattrValid.uid) ? AttrMask.uid : 0) |
    (has(SetattrValid.gid) ? AttrMask.gid : 0) |
    (has(SetattrValid.atime) ? AttrMask.atime : 0) |
    (has(SetattrValid.mtime) ? AttrMask.mtime : 0);
  return {
    op: Opcode.SETATTR,
    path,
    valid,
    mode: has(SetattrValid.mode) ? change.mode & 0o7777 : 0,
    uid: has(SetattrValid.uid) ? change.uid : 0,
    gid: has(SetattrValid.gid) ? change.gid : 0,
    atime: !has(SetattrValid.atime)
      ? NO_TIME
      : has(SetattrValid.atimeNow)
        ? time
        : { sec: change.atimeSec, nsec: change.atimeNsec },
    mtime: !has(SetattrValid.mtime)
      ? NO_TIME
      : has(SetattrValid.mtimeNow)
        ? time
        : { sec: change.mtimeSec, nsec: change.mtimeNsec },
  };
}
