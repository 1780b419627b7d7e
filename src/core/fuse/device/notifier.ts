import { E } from '../../system/errno.js';
import { writeNotification } from '../../system/fuse-device.js';
import { Memory } from '../../system/native.js';
import type { NodeId } from '../port.js';
import { Notify, OUT_HEADER_BYTES } from './protocol.js';

/** libuv has four threads by default; one stays free for the process's other work. */
const AT_ONCE_MAX = 3;
/** struct fuse_notify_inval_entry_out and the longest name with its NUL, and the header. */
const MESSAGE_BYTES = OUT_HEADER_BYTES + 16 + 256;
const ENTRY_BYTES = 16;
const INODE_BYTES = 24;

type Notice =
  | { readonly type: 'entry'; readonly parent: NodeId; readonly name: string }
  | { readonly type: 'node'; readonly node: NodeId; readonly contents: boolean };

/**
 * Tells the kernel what is no longer true. The kernel takes such a message under the lock of the directory, or waits for
 * pages under writeback, and requests that this very process has yet to answer may hold those: so messages are written on
 * other threads, and nothing here waits for them.
 */
export class Notifier {
  readonly #free: Memory[] = [];
  readonly #queue = new Map<string, Notice>();
  #flying = 0;
  #asked = 0;
  #done = 0;
  #waiting: { upto: number; resolve: () => void }[] = [];

  constructor(
    private readonly fd: number,
    private readonly onError: (errno: number) => void,
  ) {
    for (let i = 0; i < AT_ONCE_MAX; i++) this.#free.push(new Memory(MESSAGE_BYTES));
  }

  entry(parent: NodeId, name: string): void {
    this.#add(`e${parent}/${name}`, { type: 'entry', parent, name });
  }

  node(node: NodeId, contents: boolean): void {
    // To drop the pages drops the attributes as well.
    if (!contents && this.#queue.has(`c${node}`)) return;
    this.#add(`${contents ? 'c' : 'a'}${node}`, { type: 'node', node, contents });
  }

  /** The same message twice in the queue is one. */
  #add(key: string, notice: Notice): void {
    if (this.#queue.has(key)) return;
    this.#queue.set(key, notice);
    this.#asked++;
    this.#pump();
  }

  #pump(): void {
    for (const [key, notice] of this.#queue) {
      const memory = this.#free.pop();
      if (memory === undefined) return;
      this.#queue.delete(key);
      this.#flying++;
      const length = encode(memory.buffer, notice);
      writeNotification(this.fd, memory.address, length, (result) => {
        this.#flying--;
        this.#free.push(memory);
        // ENOENT: the kernel does not know it. ENOTCONN, ENODEV: it is unmounted. Both as good as done.
        const harmless = [E.ENOENT, E.ENOTCONN, E.ENODEV, E.ENOTDIR, E.EBADF];
        if (result < 0 && !harmless.includes(-result)) this.onError(-result);
        this.#finished();
      });
    }
  }

  #finished(): void {
    this.#done++;
    // Those in flight may overtake each other, so only silence tells that all before are done.
    const quiet = this.#flying === 0 && this.#queue.size === 0;
    this.#waiting = this.#waiting.filter(({ upto, resolve }) => {
      if (!quiet && this.#done < upto + AT_ONCE_MAX) return true;
      resolve();
      return false;
    });
    this.#pump();
  }

  /** Resolves when what was asked for so far is done, or after `timeoutMs`. */
  settled(timeoutMs: number): Promise<void> {
    if (this.#flying === 0 && this.#queue.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      timer.unref();
      this.#waiting.push({
        upto: this.#asked,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
  }
}

function encode(buffer: Buffer, notice: Notice): number {
  const body = OUT_HEADER_BYTES;
  let length: number;
  buffer.fill(0, 0, body);
  if (notice.type === 'entry') {
    buffer.writeUInt32LE(Notify.INVAL_ENTRY, 4);
    buffer.writeBigUInt64LE(BigInt(notice.parent), body);
    buffer.writeUInt32LE(notice.name.length, body + 8);
    buffer.writeUInt32LE(0, body + 12);
    const end = body + ENTRY_BYTES + buffer.write(notice.name, body + ENTRY_BYTES, 'latin1');
    buffer[end] = 0;
    length = end + 1;
  } else {
    buffer.writeUInt32LE(Notify.INVAL_INODE, 4);
    buffer.writeBigUInt64LE(BigInt(notice.node), body);
    // A negative offset: the attributes only. From 0, length 0: all pages.
    buffer.writeBigInt64LE(notice.contents ? 0n : -1n, body + 8);
    buffer.writeBigInt64LE(0n, body + 16);
    length = body + INODE_BYTES;
  }
  buffer.writeUInt32LE(length, 0);
  return length;
}
