import { E } from '../../../system/errno.js';
import { addressOf } from '../../../system/native.js';
import { SetattrValid, type NodeId } from '../../port.js';
import type { Exchange } from '../exchange.js';
import { textOf } from '../listing.js';
import { joined, operation, withoutCount } from '../operation.js';
import { bytesOf } from '../paths.js';
import { timesOf } from '../request-memory.js';

/** Attributes, extended attributes, and the targets of links. */

const UNCHANGED = 0xffff_ffff;

const stat = (x: Exchange): readonly unknown[] => [x.stat];

export const getattr = operation<[path: string]>(
  (x, _, path) => x.paths.at(path, (_node, attr) => x.putStat(attr)),
  stat,
);

export const fgetattr = operation<[path: string, file: number]>((x, _, path, number) => {
  const file = x.file(number);
  if (file === undefined) return x.paths.at(path, (_node, attr) => x.putStat(attr));
  const result = x.operations.getattr(file.node, x.attr);
  return result === 0 ? x.putStat(x.attr) : result;
}, stat);

function change(x: Exchange, node: NodeId, valid: number): number {
  x.change.valid = valid;
  return x.operations.setattr(x.caller, node, x.change, x.attr);
}

export const chmod = operation<[path: string, mode: number]>((x, _, path, mode) =>
  x.paths.at(path, (node) => {
    x.change.mode = mode;
    return change(x, node, SetattrValid.mode);
  }),
);

export const chown = operation<[path: string, uid: number, gid: number]>((x, _, path, uid, gid) =>
  x.paths.at(path, (node) => {
    x.change.uid = uid;
    x.change.gid = gid;
    const valid =
      (uid === UNCHANGED ? 0 : SetattrValid.uid) | (gid === UNCHANGED ? 0 : SetattrValid.gid);
    return change(x, node, valid);
  }),
);

export const truncate = operation<[path: string, low: number, high: number]>(
  (x, _, path, low, high) =>
    x.paths.at(path, (node) => {
      x.change.size = joined(low, high);
      return change(x, node, SetattrValid.size);
    }),
);

export const ftruncate = operation<[path: string, file: number, low: number, high: number]>(
  (x, _, _path, number, low, high) => {
    const file = x.file(number);
    if (file === undefined) return -E.EBADF;
    x.change.size = joined(low, high);
    x.change.handle = file.handle;
    return change(x, file.node, SetattrValid.size | SetattrValid.handle);
  },
);

export const utimens = operation<[path: string, low: number, high: number]>(
  (x, request, path, low, high) => {
    const { atime, mtime } = timesOf(request);
    // Before 1970: nothing could be told of such a time later.
    if (atime < 0 || mtime < 0) return -E.EOVERFLOW;
    if (atime !== joined(low, high)) return -E.EIO;
    return x.paths.at(path, (node) => {
      x.change.atimeSec = Math.floor(atime / 1000);
      x.change.atimeNsec = (atime % 1000) * 1_000_000;
      x.change.mtimeSec = Math.floor(mtime / 1000);
      x.change.mtimeNsec = (mtime % 1000) * 1_000_000;
      return change(x, node, SetattrValid.atime | SetattrValid.mtime);
    });
  },
);

export const readlink = operation<[path: string]>(
  (x, _, path) =>
    x.paths.at(path, (node) => {
      const { target } = x;
      const length = x.operations.readlink(node, target.address, target.length - 1);
      if (length < 0 || length >= target.length) return length;
      const text = textOf(target.buffer.toString('latin1', 0, length));
      if (text === undefined) return -E.EILSEQ;
      x.targetText = text;
      return 0;
    }),
  (x) => [x.targetText],
);

type Setxattr = [path: string, name: string, value: Buffer, position: number, flags: number];

export const setxattr = operation<Setxattr>(
  (x, _, path, text, value, _position, flags) => {
    const name = bytesOf(text);
    if (name === undefined) return -E.EILSEQ;
    return x.paths.at(path, (node) =>
      withoutCount(x.operations.setxattr(x.caller, node, name, value, flags)),
    );
  },
  (_x, _path, _name, value) => [value.buffer],
);

export const getxattr = operation<[path: string, name: string, value: Buffer]>(
  (x, _, path, text, value) => {
    const name = bytesOf(text);
    if (name === undefined) return -E.EILSEQ;
    return x.paths.at(path, (node) =>
      x.operations.getxattr(node, name, addressOf(value), value.length),
    );
  },
  (_x, _path, _name, value) => [value.buffer],
);

export const listxattr = operation<[path: string, list: Buffer]>(
  (x, _, path, list) =>
    x.paths.at(path, (node) =>
      x.operations.listxattr(x.caller, node, addressOf(list), list.length),
    ),
  (_x, _path, list) => [list.buffer],
);

export const removexattr = operation<[path: string, name: string]>((x, _, path, text) => {
  const name = bytesOf(text);
  if (name === undefined) return -E.EILSEQ;
  return x.paths.at(path, (node) => withoutCount(x.operations.removexattr(x.caller, node, name)));
});

export const statfs = operation<[path: string]>(
  (x, _, path) =>
    x.paths.at(path, (node) => {
      const result = x.operations.statfs(node, x.status);
      if (result === 0) x.putStatfs();
      return result;
    }),
  (x) => [x.statfs],
);
