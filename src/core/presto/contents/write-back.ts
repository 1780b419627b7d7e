import type { FuseBinding, NodeId } from '../../fuse/port.js';
import type { Node } from '../tree/node.js';

/** Writing pages back takes no longer, or waits for a permit. */
const WAIT_MS = 5_000;

/**
 * Has the kernel write back what programs have put into shared mappings: before that, nothing here knows of it. Only for
 * what must know, as the kernel drops all pages of the file with that.
 */
export class WriteBack {
  readonly #asked = new Set<NodeId>();
  /** While its request is presented again. */
  #done: NodeId = 0;

  constructor(private readonly binding: () => FuseBinding | undefined) {}

  /** @returns true where all is in the lower file; else the request is to be parked: it is presented again. */
  isDone(node: Node): boolean {
    // Only a file opened for writing can be mapped so; past the page cache it is mapped from the lower file, or not at all.
    if (node.writers === 0 || node.cached === 0 || this.#done === node.id) return true;
    if (!this.#asked.has(node.id)) void this.#ask(node.id);
    return false;
  }

  async #ask(node: NodeId): Promise<void> {
    this.#asked.add(node);
    this.binding()?.invalidateNode(node, true);
    await this.binding()?.invalidated(WAIT_MS);
    this.#asked.delete(node);
    this.#done = node;
    this.binding()?.resumeParked();
    this.#done = 0;
  }
}
