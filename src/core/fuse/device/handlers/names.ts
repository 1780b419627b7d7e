import type { Exchange } from '../exchange.js';
import { CACHE_SECONDS } from '../limits.js';
import { withoutPayload, type Operation } from '../operation.js';
import { LinkIn, MkdirIn, MknodIn, Rename2In, RenameIn } from '../protocol.js';
import { PARK, type NodeId } from '../../port.js';

/** Names: found, made, moved and removed. The umask comes along (FUSE_DONT_MASK): a default ACL takes its place. */

/** The answer to everything that looks a name up: struct fuse_entry_out. */
function entryReply(x: Exchange, result: number, seconds?: number): number {
  if (result < 0 || result === PARK) return result;
  return x.reply.entry(0, x.entry, seconds);
}

/** The kernel has one lookup less than the file system has counted. */
export function forgetEntry(x: Exchange): void {
  if (x.entry.node !== 0) x.operations.forget(x.entry.node, 1);
}

export const lookup: Operation = {
  run: (x) => entryReply(x, x.operations.lookup(x.node, x.request.name(0), x.entry)),
  undo: forgetEntry,
};

export const mknod: Operation = {
  run(x) {
    const { request, operations, caller, node, entry } = x;
    const mode = request.u32(MknodIn.mode);
    const rdev = request.u32(MknodIn.rdev);
    const umask = request.u32(MknodIn.umask);
    const name = request.name(MknodIn.size);
    return entryReply(x, operations.mknod(caller, node, name, mode, umask, rdev, entry));
  },
  undo: forgetEntry,
};

export const mkdir: Operation = {
  run(x) {
    const { request, operations, caller, node, entry } = x;
    const mode = request.u32(MkdirIn.mode);
    const umask = request.u32(MkdirIn.umask);
    const name = request.name(MkdirIn.size);
    return entryReply(x, operations.mkdir(caller, node, name, mode, umask, entry));
  },
  undo: forgetEntry,
};

export const symlink: Operation = {
  run(x) {
    const { request, operations, caller, node, entry } = x;
    const name = request.name(0);
    const target = request.name(name.length + 1);
    return entryReply(x, operations.symlink(caller, node, name, target, entry));
  },
  undo: forgetEntry,
};

export const link: Operation = {
  run(x) {
    const { request, operations, caller, node, entry } = x;
    const existing = request.u64(LinkIn.oldnodeid);
    const name = request.name(LinkIn.size);
    const result = operations.link(caller, existing, node, name, entry);
    return entryReply(x, result, CACHE_SECONDS.changed);
  },
  undo: forgetEntry,
};

export const unlink: Operation = {
  run: (x) => withoutPayload(x.operations.unlink(x.caller, x.node, x.request.name(0))),
};

export const rmdir: Operation = {
  run: (x) => withoutPayload(x.operations.rmdir(x.caller, x.node, x.request.name(0))),
};

/** What a RENAME is about; the names follow the arguments, which are `size` long. */
function moved({ request }: Exchange, size: number): { name: string; newName: string } {
  const name = request.name(size);
  return { name, newName: request.name(size + name.length + 1) };
}

function move(x: Exchange, newParent: NodeId, size: number, flags: number): number {
  const { name, newName } = moved(x, size);
  return withoutPayload(x.operations.rename(x.caller, x.node, name, newParent, newName, flags));
}

/** The kernel moves what it had found under the names, not what was there when it was done. */
function movedNames(size: number, newDirectoryAt: number): Required<Operation>['names'] {
  return (x, show) => {
    const { name, newName } = moved(x, size);
    show(x.node, name);
    show(x.request.u64(newDirectoryAt), newName);
  };
}

export const rename: Operation = {
  run: (x) => move(x, x.request.u64(RenameIn.newdir), RenameIn.size, 0),
  names: movedNames(RenameIn.size, RenameIn.newdir),
};

export const rename2: Operation = {
  run: (x) =>
    move(x, x.request.u64(Rename2In.newdir), Rename2In.size, x.request.u32(Rename2In.flags)),
  names: movedNames(Rename2In.size, Rename2In.newdir),
};
