import { ACCESS_ACL } from '../../../model/acl.js';
import { E } from '../../../system/errno.js';
import { PARK, SetattrValid } from '../../port.js';
import type { Exchange } from '../exchange.js';
import { CACHE_SECONDS } from '../limits.js';
import { withoutPayload, type Operation } from '../operation.js';
import { dropForeignSetGroupId, keepSetIdBitsOut } from '../privileges.js';
import { GetxattrIn, GetxattrOut, SetattrIn, SetxattrIn } from '../protocol.js';

/** Attributes, extended attributes, and the targets of links. */

/** struct fuse_attr_out. */
function attributesReply(x: Exchange, result: number, seconds?: number): number {
  if (result < 0 || result === PARK) return result;
  return x.reply.attributes(x.attr, seconds);
}

export const getattr: Operation = {
  run: (x) => attributesReply(x, x.operations.getattr(x.node, x.attr)),
};

export const setattr: Operation = {
  run(x) {
    const { request, change } = x;
    change.valid = request.u32(SetattrIn.valid);
    change.handle = (change.valid & SetattrValid.handle) !== 0 ? request.u64(SetattrIn.fh) : 0;
    change.size = request.u64(SetattrIn.size);
    change.mode = request.u32(SetattrIn.mode);
    change.uid = request.u32(SetattrIn.uid);
    change.gid = request.u32(SetattrIn.gid);
    change.atimeSec = request.s64(SetattrIn.atime);
    change.atimeNsec = request.u32(SetattrIn.atimensec);
    change.mtimeSec = request.s64(SetattrIn.mtime);
    change.mtimeNsec = request.u32(SetattrIn.mtimensec);
    const ready = keepSetIdBitsOut(x);
    if (ready !== 0) return ready;
    const result = x.operations.setattr(x.caller, x.node, change, x.attr);
    return attributesReply(x, result, CACHE_SECONDS.changed);
  },
};

/** One byte less than the page the kernel has for it: it adds the NUL itself. */
const TARGET_BYTES = 4095;

export const readlink: Operation = {
  run: (x) => x.operations.readlink(x.node, x.reply.payload, TARGET_BYTES),
};

export const setxattr: Operation = {
  run(x) {
    const { request, operations, caller, node } = x;
    const name = request.name(SetxattrIn.structSize);
    const valueAt = SetxattrIn.structSize + name.length + 1;
    const size = request.u32(SetxattrIn.size);
    if (!request.has(valueAt + size)) return -E.EINVAL;
    if (name === ACCESS_ACL) {
      const ready = dropForeignSetGroupId(x);
      if (ready !== 0) return ready;
    }
    const value = request.bytes(valueAt, size);
    return withoutPayload(
      operations.setxattr(caller, node, name, value, request.u32(SetxattrIn.flags)),
    );
  },
};

/** The kernel gives size 0 to learn the length: the answer is then struct fuse_getxattr_out. */
function valueReply(x: Exchange, size: number, result: number): number {
  if (size !== 0 || result < 0 || result === PARK) return result;
  x.reply.u32(GetxattrOut.valueSize, result);
  x.reply.u32(GetxattrOut.padding, 0);
  return GetxattrOut.size;
}

export const getxattr: Operation = {
  run(x) {
    const size = Math.min(x.request.u32(GetxattrIn.size), x.reply.capacity);
    const name = x.request.name(GetxattrIn.structSize);
    const result = x.operations.getxattr(x.node, name, x.reply.payload, size);
    return valueReply(x, size, result);
  },
};

export const listxattr: Operation = {
  run(x) {
    const size = Math.min(x.request.u32(GetxattrIn.size), x.reply.capacity);
    return valueReply(x, size, x.operations.listxattr(x.caller, x.node, x.reply.payload, size));
  },
};

export const removexattr: Operation = {
  run: (x) => withoutPayload(x.operations.removexattr(x.caller, x.node, x.request.name(0))),
};

export const statfs: Operation = {
  run(x) {
    const result = x.operations.statfs(x.node, x.status);
    return result < 0 || result === PARK ? result : x.reply.statfs(x.status);
  },
};
