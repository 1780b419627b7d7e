import { ObjectFlag } from '../../../model/object-flags.js';
import { E } from '../../../system/errno.js';
import { PARK } from '../../port.js';
import type { Exchange } from '../exchange.js';
import type { Operation } from '../operation.js';
import { IoctlIn, IoctlOut } from '../protocol.js';

/**
 * FUSE_IOCTL: only inode flags, in both of their forms (linux/fs.h). The kernel copies the fixed sizes that these requests
 * have from and to the program; of others it knows none.
 */
const Ioctl = {
  GETFLAGS: 0x80086601,
  SETFLAGS: 0x40086602,
  FSGETXATTR: 0x801c581f,
  FSSETXATTR: 0x401c5820,
} as const;

/** The flags as an int. */
const FLAGS_BYTES = 4;
/** struct fsxattr: u32 xflags, extsize, nextents, projid, cowextsize, and 8 bytes that are reserved. */
const Fsxattr = { xflags: 0, extsize: 4, projid: 12, cowextsize: 16, size: 28 } as const;
/** FS_XFLAG_*, and what it is as an inode flag. */
const XFLAGS = [
  [0x08, ObjectFlag.immutable],
  [0x10, ObjectFlag.append],
  [0x20, ObjectFlag.sync],
  [0x40, ObjectFlag.noatime],
  [0x80, ObjectFlag.nodump],
] as const;

export const ioctl: Operation = {
  run(x) {
    const { request, operations, caller, node } = x;
    switch (request.u32(IoctlIn.cmd)) {
      case Ioctl.GETFLAGS:
        return getting(x, FLAGS_BYTES, (flags) => flags);
      case Ioctl.SETFLAGS:
        if (!given(x, FLAGS_BYTES)) return -E.EINVAL;
        return reply(x, operations.setflags(caller, node, request.u32(IoctlIn.size)), 0);
      case Ioctl.FSGETXATTR:
        return getting(x, Fsxattr.size, toXflags);
      case Ioctl.FSSETXATTR:
        return given(x, Fsxattr.size) ? setXflags(x) : -E.EINVAL;
      default:
        return -E.ENOTTY;
    }
  },
};

function given(x: Exchange, size: number): boolean {
  return x.request.u32(IoctlIn.inSize) >= size && x.request.has(IoctlIn.size + size);
}

function getting(x: Exchange, size: number, form: (flags: number) => number): number {
  if (x.request.u32(IoctlIn.outSize) < size) return -E.EINVAL;
  const flags = x.operations.getflags(x.node);
  if (flags < 0 || flags === PARK) return flags;
  x.reply.clear(IoctlOut.size, size);
  x.reply.u32(IoctlOut.size, form(flags));
  return reply(x, 0, size);
}

/** `size`: bytes that follow struct fuse_ioctl_out. */
function reply(x: Exchange, result: number, size: number): number {
  if (result < 0 || result === PARK) return result;
  x.reply.clear(0, IoctlOut.size);
  return IoctlOut.size + size;
}

function toXflags(flags: number): number {
  return XFLAGS.reduce((all, [xflag, flag]) => ((flags & flag) === 0 ? all : all | xflag), 0);
}

/** Only what has a bit here changes: `dirsync` is none of them. Extent sizes and projects are not kept. */
function setXflags(x: Exchange): number {
  const { request, operations, caller, node } = x;
  const field = (at: number): number => request.u32(IoctlIn.size + at);
  const xflags = field(Fsxattr.xflags);
  const known = XFLAGS.reduce((all, [xflag]) => all | xflag, 0);
  const more = field(Fsxattr.extsize) | field(Fsxattr.projid) | field(Fsxattr.cowextsize);
  if ((xflags & ~known) !== 0 || more !== 0) return -E.EOPNOTSUPP;
  const old = operations.getflags(node);
  if (old < 0) return old;
  const wanted = XFLAGS.reduce(
    (all, [xflag, flag]) => ((xflags & xflag) === 0 ? all & ~flag : all | flag),
    old,
  );
  return reply(x, operations.setflags(caller, node, wanted), 0);
}
