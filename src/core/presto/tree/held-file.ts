import type { Holder } from './descriptors.js';
import type { Node } from './node.js';

/** A file or directory that is held open: by a descriptor that may be closed at times, see LowerTree.descriptorOf. */
export class HeldFile implements Holder {
  fd = -1;
  used = 0;

  constructor(
    readonly node: Node,
    /** Of open(2), to open it again: they neither make nor truncate. */
    readonly lowerFlags: number,
  ) {}

  /** There is a name or another descriptor by which it is opened again. */
  get mayClose(): boolean {
    return this.node.parent !== undefined || this.node.fd >= 0;
  }
}
