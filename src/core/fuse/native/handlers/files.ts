import { E } from '../../../system/errno.js';
import { O_APPEND } from '../../../system/files.js';
import { addressOf } from '../../../system/native.js';
import { PARK, type NodeId } from '../../port.js';
import type { Exchange, OpenFile } from '../exchange.js';
import { joined, operation, withoutCount } from '../operation.js';
import { isNode } from '../paths.js';
import { writeOf } from '../request-memory.js';

/** Open files, and directories, which libfuse lists by their path. */

export const open = operation<[path: string, flags: number]>(
  (x, _, path, flags) => {
    const node = x.paths.hold(path);
    if (!isNode(node)) return node;
    const result = x.operations.open(x.caller, node, flags, x.opened);
    if (result === 0) {
      x.number = x.addFile({ node, handle: x.opened.handle });
    } else {
      x.number = 0;
      x.paths.release(node);
    }
    return result;
  },
  (x) => [x.number],
);

function within(x: Exchange, number: number, act: (file: OpenFile) => number): number {
  const file = x.file(number);
  return file === undefined ? -E.EBADF : act(file);
}

type Bytes = [path: string, file: number, bytes: Buffer, size: number, low: number, high: number];
const giveBack = (_x: Exchange, ...[, , bytes]: Bytes): readonly unknown[] => [0, bytes.buffer];

export const read = operation<Bytes>(
  (x, _, _path, number, bytes, size, low, high) =>
    within(x, number, ({ node, handle }) =>
      x.operations.read(node, handle, joined(low, high), size, addressOf(bytes)),
    ),
  giveBack,
);

export const write = operation<Bytes>(
  (x, request, _path, number, bytes, size, low, high) =>
    within(x, number, ({ node, handle }) => {
      const { flags, cached } = writeOf(request);
      const append = (flags & O_APPEND) !== 0;
      const offset = joined(low, high);
      const address = addressOf(bytes);
      return x.operations.write(x.caller, node, handle, offset, size, address, cached, append);
    }),
  giveBack,
);

export const flush = operation<[path: string, file: number]>((x, _, _path, number) =>
  within(x, number, ({ node, handle }) => withoutCount(x.operations.flush(x.caller, node, handle))),
);

export const release = operation<[path: string, file: number]>((x, _, _path, number) =>
  within(x, number, ({ node, handle }) => {
    const result = withoutCount(x.operations.release(x.caller, node, handle));
    x.removeFile(number);
    x.paths.release(node);
    return result;
  }),
);

export const fsync = operation<[path: string, dataOnly: number, file: number]>(
  (x, _, _path, dataOnly, number) =>
    within(x, number, ({ node, handle }) =>
      withoutCount(x.operations.fsync(x.caller, node, handle, dataOnly !== 0)),
    ),
);

function opened(x: Exchange, node: NodeId, act: (handle: number) => number): number {
  const { operations } = x;
  const result = operations.opendir(node, x.opened);
  if (result !== 0) return result;
  const { handle } = x.opened;
  try {
    return act(handle);
  } finally {
    operations.releasedir(node, handle);
  }
}

export const readdir = operation<[path: string]>(
  (x, _, path) => {
    x.listing.clear();
    const result = x.paths.at(path, (node) =>
      opened(x, node, (handle) => x.operations.readdir(node, handle, 0, x.listing)),
    );
    if (result < 0 || result === PARK) return result;
    if (x.listing.unspeakable === undefined) return 0;
    x.unspeakable(path, x.listing.unspeakable);
    return -E.EILSEQ;
  },
  (x) => [x.listing.names, x.listing.stats],
);

export const fsyncdir = operation<[path: string]>((x, _, path) =>
  x.paths.at(path, (node) =>
    opened(x, node, (handle) => withoutCount(x.operations.fsyncdir(node, handle))),
  ),
);
