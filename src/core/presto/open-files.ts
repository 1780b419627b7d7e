import { close } from '../system/files.js';
import { DirectoryCookies } from './directory-cookies.js';
import type { IoModes } from './io-modes.js';
import type { Node } from './node.js';
import type { NodeTable } from './node-table.js';

/** An open file or directory: one struct file of the kernel. */
export interface OpenFile {
  readonly node: Node;
  /** Descriptor of the lower object. */
  fd: number;
  readonly flags: number;
  readonly writable: boolean;
  /** The kernel passes it through to the lower file. */
  readonly passes: boolean;
  /** Directories: the offsets given to the kernel. */
  readonly cookies: DirectoryCookies | undefined;
}

/** What is open, by the numbers the kernel was given. Numbers of closed files are used again. */
export class OpenFiles {
  readonly #files: (OpenFile | undefined)[] = [undefined];
  readonly #free: number[] = [];

  constructor(
    private readonly table: NodeTable,
    private readonly modes: IoModes,
  ) {}

  get count(): number {
    return this.#files.length - 1 - this.#free.length;
  }

  add(node: Node, fd: number, flags: number, writable: boolean, passes = false): number {
    const cookies = node.isDirectory ? new DirectoryCookies() : undefined;
    const file: OpenFile = { node, fd, flags, writable, passes, cookies };
    node.opens++;
    if (writable) node.writers++;
    const handle = this.#free.pop() ?? this.#files.length;
    this.#files[handle] = file;
    return handle;
  }

  get(handle: number): OpenFile | undefined {
    return this.#files[handle];
  }

  remove(handle: number): void {
    const file = this.#files[handle];
    if (file === undefined) return;
    this.#files[handle] = undefined;
    this.#free.push(handle);
    close(file.fd);
    file.node.opens--;
    if (file.writable) file.node.writers--;
    if (file.passes) this.modes.closed(file.node);
    this.table.dropUnused(file.node);
  }

  /** A descriptor of an open file of the node that can write, or -1. */
  writableDescriptorOf(node: Node): number {
    if (node.writers === 0) return -1;
    const file = this.#files.find((f) => f?.node === node && f.writable);
    return file?.fd ?? -1;
  }

  closeAll(): void {
    this.#files.forEach((file, handle) => {
      if (file !== undefined) this.remove(handle);
    });
  }
}
