import type { FuseBinding, Opened } from '../fuse/port.js';
import type { Node } from './node.js';

/**
 * How the kernel reads and writes each open file: through its own page cache and us, or past us from the lower file.
 *
 * Files opened for reading are passed through. The kernel does not mix the two for one inode, so what the first one has is
 * what the next ones get: a reader uses the page cache while another file does; a writer that comes while readers are
 * passed through writes directly to us, so that they see it at once.
 */
export class IoModes {
  constructor(private readonly binding: () => FuseBinding | undefined) {}

  /** To be called before the file counts as open. `fd` has the lower file open. @returns whether it is passed through. */
  open(node: Node, fd: number, writable: boolean, out: Opened): boolean {
    const cached = node.opens - node.passing;
    out.noFlush = !writable;
    if (node.passing === 0 && (writable || cached > 0 || !this.#begin(node, fd))) {
      out.keepCache = !node.bypassed;
      node.bypassed = false;
      return false;
    }
    node.passing++;
    out.backing = node.backing;
    out.directIo = writable;
    return true;
  }

  #begin(node: Node, fd: number): boolean {
    const backing = this.binding()?.openBacking(fd) ?? 0;
    if (backing <= 0) return false;
    node.backing = backing;
    node.bypassed = true;
    return true;
  }

  /** A file that is passed through was closed. */
  closed(node: Node): void {
    node.passing--;
    if (node.passing > 0) return;
    this.binding()?.closeBacking(node.backing);
    node.backing = 0;
  }
}
