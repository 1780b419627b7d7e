import type { Caller, Entry, NodeId, Opened } from '../../fuse/port.js';
import { newIdentity } from '../../cache/identity.js';
import { NO_STAMP } from '../../model/ids.js';
import { Opcode } from '../../model/records.js';
import { Attr, S_IFREG } from '../../system/attr.js';
import { E } from '../../system/errno.js';
import { O_RDWR, close } from '../../system/files.js';
import type { PrestoCore } from '../core.js';
import { NOBODY } from '../tree/lower-tree.js';
import type { Node } from '../tree/node.js';
import type { FileOperations } from './files.js';
import { ownMode } from './inherited-mode.js';

/**
 * Files that are made without a name (O_TMPFILE), which a link may give them later. No record tells of them before: then
 * peers are told of a file that is made with all it has.
 */
export class NamelessOperations {
  readonly #attr = new Attr();

  constructor(
    private readonly core: PrestoCore,
    private readonly files: FileOperations,
  ) {}

  tmpfile(
    caller: Caller,
    parent: NodeId,
    mode: number,
    umask: number,
    flags: number,
    out: Entry,
    opened: Opened,
  ): number {
    const { core } = this;
    const directory = core.table.get(parent);
    if (directory === undefined) return -E.ENOENT;
    // It will be written, and that needs the permit.
    const permit = core.gate.enter();
    if (permit !== 0) return permit;
    const allowed = core.guard.add(directory);
    if (allowed !== 0) return allowed;
    const group = core.tree.groupPassedOn(directory);
    if (group < 0) return group;
    const wanted = { mode: (mode & 0o7777) | S_IFREG, umask };
    const own = ownMode(core.tree, caller, directory, group, wanted);
    if (own < 0) return own;
    const gid = group === NOBODY ? caller.gid : group;
    const fd = core.tree.createNameless(directory, own, caller.uid, gid);
    if (fd < 0) return fd;
    const node = core.table.nameless(core.tree.attr, fd);
    if (typeof node === 'number') {
      close(fd);
      return node;
    }
    Object.assign(out.attr, core.tree.attr);
    const { identity } = core.tree;
    node.identity = {
      ...identity.of(node),
      flags: identity.inheritedFlags(directory, S_IFREG),
    };
    node.lookups++;
    out.node = node.id;
    out.generation = 0;
    return this.files.opened(caller, node, fd, flags, opened);
  }

  /** Gives the file a name: with the permit. The path is that of the new name. */
  link(caller: Caller, node: Node, directory: Node, name: string, path: string): number {
    const fd = this.core.tree.open(node, O_RDWR);
    if (fd < 0) return fd;
    const result = this.#link(caller, node, fd, directory, name, path);
    close(fd);
    return result;
  }

  #link(
    caller: Caller,
    node: Node,
    fd: number,
    directory: Node,
    name: string,
    path: string,
  ): number {
    const { contents, tree, updates, xattrs } = this.core;
    let result = tree.stat(node, this.#attr);
    if (result < 0) return result;
    // Removed, or removed by a peer: a file that once had a name gets no other.
    if (this.#attr.nlink > 0 || !this.#attr.isRegular) return -E.ENOENT;
    const { mode, uid, gid } = this.#attr;
    // What was written so far nobody needs to know. From here on it is an object, and a crash must not hide its contents.
    contents.close(node, fd, caller);
    const update = updates.next();
    const { replica, recno } = update.stamp;
    const object = { replica, number: recno };
    const identity = newIdentity(object, update.stamp, tree.identity.of(node).flags);
    result = tree.identity.write(node, identity, fd);
    if (result >= 0) result = contents.begin(node, fd, caller);
    if (result < 0) return result;
    node.written?.addEverything();
    const body = { op: Opcode.CREATE, path, mode: mode & 0o7777, uid, gid } as const;
    result = updates.perform(caller, update, object, NO_STAMP, body, () =>
      tree.link(node, directory, name, update.time),
    );
    if (result >= 0) result = xattrs.journal(caller, node, fd, path);
    const closed = contents.close(node, fd, caller);
    return result < 0 ? result : closed;
  }
}
