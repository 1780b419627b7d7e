import type { FuseBinding, Opened } from '../../fuse/port.js';
import { O_ACCMODE, O_RDONLY, O_RDWR } from '../../system/files.js';
import type { Node } from '../tree/node.js';

/**
 * `cached`: through the kernel's page cache and us. `passed`: the kernel reads and maps the lower file itself; what is written
 * comes here, past its page cache.
 */
export type IoMode = 'cached' | 'passed';

/**
 * How the kernel reads and writes each open file.
 *
 * Where it can pass files through, readers are passed, and who only writes does so directly: what is written goes to the
 * lower file's pages, which is where it will be read. Who reads and writes uses the page cache, as the first one. The kernel
 * does not mix the page cache with passing for one inode, so what the first one has decides for those that come while it is
 * open: beside a file that uses the page cache all use it, and beside one that is passed all are, with the same backing: the
 * kernel takes up answers in any order.
 */
export class IoModes {
  constructor(private readonly binding: () => FuseBinding | undefined) {}

  /** To be called before the file counts as open, with the flags of open(2). `fd` has the lower file open. */
  open(node: Node, fd: number, flags: number, out: Opened): IoMode {
    const access = flags & O_ACCMODE;
    const mode = this.#choose(node, fd, access);
    out.noFlush = access === O_RDONLY;
    if (mode === 'cached') {
      out.keepCache = !node.bypassed;
      node.bypassed = false;
      return mode;
    }
    node.bypassed = true;
    out.directIo = access !== O_RDONLY;
    node.passing++;
    out.backing = node.backing;
    return mode;
  }

  #choose(node: Node, fd: number, access: number): IoMode {
    if (node.passing > 0) return 'passed';
    if (node.cached > 0) return 'cached';
    return access !== O_RDWR && this.#begin(node, fd) ? 'passed' : 'cached';
  }

  #begin(node: Node, fd: number): boolean {
    const backing = this.binding()?.openBacking(fd) ?? 0;
    if (backing <= 0) return false;
    node.backing = backing;
    return true;
  }

  /** The file was closed. */
  closed(node: Node, mode: IoMode): void {
    if (mode !== 'passed') return;
    node.passing--;
    if (node.passing > 0) return;
    this.binding()?.closeBacking(node.backing);
    node.backing = 0;
  }
}
