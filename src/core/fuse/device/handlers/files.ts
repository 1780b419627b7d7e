import { E } from '../../../system/errno.js';
import { O_APPEND, O_TRUNC } from '../../../system/files.js';
import { PARK } from '../../port.js';
import type { Exchange } from '../exchange.js';
import { withoutPayload, type Operation } from '../operation.js';
import { dropSetIdBits } from '../privileges.js';
import {
  CopyFileRangeIn,
  CreateIn,
  EntryOut,
  FallocateIn,
  FlushIn,
  FsyncIn,
  FUSE_FSYNC_FDATASYNC,
  FUSE_OPEN_KILL_SUIDGID,
  FUSE_WRITE_CACHE,
  FUSE_WRITE_KILL_SUIDGID,
  LseekIn,
  LseekOut,
  OpenIn,
  ReadIn,
  ReleaseIn,
  WriteIn,
  WriteOut,
} from '../protocol.js';
import type { Reply } from '../reply.js';
import { forgetEntry } from './names.js';

/** Open files. Flags are those of open(2), as the program gave them; O_CREAT and O_EXCL are the kernel's business. */

export const open: Operation = {
  run(x) {
    const { request, operations, caller, node, opened } = x;
    const flags = request.u32(OpenIn.flags);
    const kills = (request.u32(OpenIn.openFlags) & FUSE_OPEN_KILL_SUIDGID) !== 0;
    if (kills && (flags & O_TRUNC) !== 0) {
      const ready = dropSetIdBits(x);
      if (ready !== 0) return ready;
    }
    const result = operations.open(caller, node, flags, opened);
    return result < 0 || result === PARK ? result : x.reply.opened(0, opened, false);
  },
  undo(x) {
    x.operations.release(x.caller, x.node, x.opened.handle);
  },
};

export const create: Operation = {
  run(x) {
    const { request, operations, caller, node, entry, opened, reply } = x;
    const flags = request.u32(CreateIn.flags);
    const mode = request.u32(CreateIn.mode);
    const umask = request.u32(CreateIn.umask);
    const name = request.name(CreateIn.size);
    const result = operations.create(caller, node, name, mode, umask, flags, entry, opened);
    if (result < 0 || result === PARK) return result;
    reply.entry(0, entry);
    return EntryOut.size + reply.opened(EntryOut.size, opened, false);
  },
  undo: undoCreate,
};

function undoCreate(x: Exchange): void {
  x.operations.release(x.caller, x.entry.node, x.opened.handle);
  forgetEntry(x);
}

/** O_TMPFILE: the directory comes as the node, and a name that says nothing. */
export const tmpfile: Operation = {
  run(x) {
    const { request, operations, caller, node, entry, opened, reply } = x;
    const flags = request.u32(CreateIn.flags);
    const mode = request.u32(CreateIn.mode);
    const umask = request.u32(CreateIn.umask);
    const result = operations.tmpfile(caller, node, mode, umask, flags, entry, opened);
    if (result < 0 || result === PARK) return result;
    reply.entry(0, entry);
    return EntryOut.size + reply.opened(EntryOut.size, opened, false);
  },
  undo: undoCreate,
};

export const read: Operation = {
  run(x) {
    const { request, operations, node, reply } = x;
    const size = request.u32(ReadIn.size);
    // A shorter answer would mean the end of the file.
    if (size > reply.capacity) return -E.EINVAL;
    const offset = request.s64(ReadIn.offset);
    return operations.read(node, request.u64(ReadIn.fh), offset, size, reply.payload);
  },
};

export const write: Operation = {
  run(x) {
    const { request, operations, caller, node, reply } = x;
    const size = request.u32(WriteIn.size);
    if (!request.has(WriteIn.structSize + size)) return -E.EINVAL;
    const flags = request.u32(WriteIn.writeFlags);
    if ((flags & FUSE_WRITE_KILL_SUIDGID) !== 0) {
      const ready = dropSetIdBits(x);
      if (ready !== 0) return ready;
    }
    const result = operations.write(
      caller,
      node,
      request.u64(WriteIn.fh),
      request.s64(WriteIn.offset),
      size,
      request.addressOf(WriteIn.structSize),
      (flags & FUSE_WRITE_CACHE) !== 0,
      (request.u32(WriteIn.flags) & O_APPEND) !== 0,
    );
    return writtenReply(reply, result);
  },
};

/** struct fuse_write_out. */
function writtenReply(reply: Reply, result: number): number {
  if (result < 0 || result === PARK) return result;
  reply.u32(WriteOut.written, result);
  reply.u32(WriteOut.padding, 0);
  return WriteOut.size;
}

export const flush: Operation = {
  run: (x) => withoutPayload(x.operations.flush(x.caller, x.node, x.request.u64(FlushIn.fh))),
};

export const release: Operation = {
  run: (x) => withoutPayload(x.operations.release(x.caller, x.node, x.request.u64(ReleaseIn.fh))),
};

export const fsync: Operation = {
  run(x) {
    const dataOnly = (x.request.u32(FsyncIn.fsyncFlags) & FUSE_FSYNC_FDATASYNC) !== 0;
    return withoutPayload(
      x.operations.fsync(x.caller, x.node, x.request.u64(FsyncIn.fh), dataOnly),
    );
  },
};

export const fallocate: Operation = {
  run(x) {
    const { request, operations, caller, node } = x;
    const handle = request.u64(FallocateIn.fh);
    const mode = request.u32(FallocateIn.mode);
    const offset = request.s64(FallocateIn.offset);
    const length = request.s64(FallocateIn.length);
    return withoutPayload(operations.fallocate(caller, node, handle, mode, offset, length));
  },
};

export const copyFileRange: Operation = {
  run(x) {
    const { request, operations, caller, node, reply } = x;
    const result = operations.copyFileRange(
      caller,
      node,
      request.u64(CopyFileRangeIn.fhIn),
      request.s64(CopyFileRangeIn.offIn),
      request.u64(CopyFileRangeIn.nodeidOut),
      request.u64(CopyFileRangeIn.fhOut),
      request.s64(CopyFileRangeIn.offOut),
      request.u64(CopyFileRangeIn.length),
    );
    return writtenReply(reply, result);
  },
};

export const lseek: Operation = {
  run(x) {
    const { request, operations, node, reply } = x;
    const handle = request.u64(LseekIn.fh);
    const offset = request.s64(LseekIn.offset);
    const result = operations.lseek(node, handle, offset, request.u32(LseekIn.whence));
    if (result < 0 || result === PARK) return result;
    reply.u64(LseekOut.offset, result);
    return LseekOut.size;
  },
};
