import { PARK } from '../../port.js';
import type { Exchange } from '../exchange.js';
import { withoutPayload, type Operation } from '../operation.js';
import { FsyncIn, ReadIn, ReleaseIn } from '../protocol.js';

/** Open directories. */

export const opendir: Operation = {
  run(x) {
    const result = x.operations.opendir(x.node, x.opened);
    return result < 0 || result === PARK ? result : x.reply.opened(0, x.opened, true);
  },
  undo(x) {
    x.operations.releasedir(x.node, x.opened.handle);
  },
};

function giveBack(x: Exchange): void {
  x.sink.giveBack((node) => {
    x.operations.forget(node, 1);
  });
}

function readEntries(x: Exchange, plus: boolean): number {
  const { request, operations, node, sink } = x;
  sink.begin(plus, request.u32(ReadIn.size));
  const handle = request.u64(ReadIn.fh);
  const result = operations.readdir(node, handle, request.s64(ReadIn.offset), sink);
  if (result === PARK) {
    giveBack(x);
    return PARK;
  }
  // An error behind the first entries: the kernel takes these, asks for the next, and is then told.
  return result < 0 && sink.length === 0 ? result : sink.length;
}

export const readdir: Operation = { run: (x) => readEntries(x, false) };
export const readdirplus: Operation = { run: (x) => readEntries(x, true), undo: giveBack };

export const releasedir: Operation = {
  run: (x) => withoutPayload(x.operations.releasedir(x.node, x.request.u64(ReleaseIn.fh))),
};

export const fsyncdir: Operation = {
  run: (x) => withoutPayload(x.operations.fsyncdir(x.node, x.request.u64(FsyncIn.fh))),
};

export const syncfs: Operation = { run: (x) => withoutPayload(x.operations.syncfs(x.node)) };
