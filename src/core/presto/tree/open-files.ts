import { E } from '../../system/errno.js';
import { O_DIRECTORY, O_RDONLY } from '../../system/files.js';
import { DirectoryCookies } from './directory-cookies.js';
import { HeldFile } from './held-file.js';
import type { IoMode, IoModes } from '../contents/io-modes.js';
import type { LowerTree } from './lower-tree.js';
import type { Node } from './node.js';
import { lowerFlags } from './lower-flags.js';

/** An open file or directory: one struct file of the kernel. */
export class OpenFile extends HeldFile {
  /** Directories: the offsets given to the kernel. */
  readonly cookies: DirectoryCookies | undefined;

  constructor(
    node: Node,
    readonly flags: number,
    readonly writable: boolean,
    readonly mode: IoMode,
  ) {
    super(node, node.isDirectory ? O_RDONLY | O_DIRECTORY : lowerFlags(flags));
    this.cookies = node.isDirectory ? new DirectoryCookies() : undefined;
  }
}

/** What is open, by the numbers the kernel was given. Numbers of closed files are used again. */
export class OpenFiles {
  readonly #files: (OpenFile | undefined)[] = [undefined];
  readonly #free: number[] = [];

  constructor(
    private readonly tree: LowerTree,
    private readonly modes: IoModes,
  ) {}

  get count(): number {
    return this.#files.length - 1 - this.#free.length;
  }

  /** Takes over `fd`. */
  add(node: Node, fd: number, flags: number, writable: boolean, mode: IoMode = 'cached'): number {
    const file = new OpenFile(node, flags, writable, mode);
    node.opens++;
    if (writable) node.writers++;
    const handle = this.#free.pop() ?? this.#files.length;
    this.#files[handle] = file;
    this.tree.table.descriptors.add(file, fd);
    return handle;
  }

  /** Where the descriptor is not needed: it may be closed at the moment. */
  get(handle: number): OpenFile | undefined {
    return this.#files[handle];
  }

  /** With its descriptor open; or a negated errno. */
  ready(handle: number): OpenFile | number {
    const file = this.#files[handle];
    if (file === undefined) return -E.EBADF;
    // A directory that is opened again stands at its beginning.
    if (file.fd < 0) file.cookies?.lost();
    const fd = this.tree.descriptorOf(file);
    return fd < 0 ? fd : file;
  }

  remove(handle: number): void {
    const file = this.#files[handle];
    if (file === undefined) return;
    this.#files[handle] = undefined;
    this.#free.push(handle);
    this.tree.table.descriptors.close(file);
    file.node.opens--;
    if (file.writable) file.node.writers--;
    this.modes.closed(file.node, file.mode);
    this.tree.table.dropUnused(file.node);
  }

  closeAll(): void {
    this.#files.forEach((file, handle) => {
      if (file !== undefined) this.remove(handle);
    });
  }
}
