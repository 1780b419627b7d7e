import { E, errnoName } from '../../system/errno.js';
import type { NodeId } from '../port.js';
import type { Log } from '../log.js';
import { NAME_BYTES, NOTIFICATIONS_AT_ONCE, UNBORN_MS } from './limits.js';
import { NotificationMemory, type Stale } from './notification.js';

interface Waiting {
  /** Counts what was asked. */
  readonly number: number;
  stale: Stale;
}

/** How a message gets to the kernel, without blocking the event loop. `done` has the count or a negated errno. */
export type Send = (address: number, length: number, done: (result: number) => void) => void;

/** What the kernel holds locked for requests that wait here. */
export interface HeldLocks {
  locksDirectory(node: NodeId): boolean;
  locksPages(node: NodeId): boolean;
}

/**
 * Tells the kernel what to drop from its caches. Such a message can wait in the kernel for locks that are held for
 * requests which this same process has yet to answer, so it is written on the thread pool, a few at once, in order.
 *
 * One that could only wait for a *parked* request is kept back until that is answered: a thread that waits in the kernel
 * cannot even be killed, and the parked request may be waiting for the very peer whose update is being told here.
 */
export class Notifier {
  /** In the order asked, by what they are about: what is asked again while it waits is told once. */
  readonly #queue = new Map<string, Waiting>();
  readonly #kept = new Map<string, Waiting>();
  readonly #idle = Array.from({ length: NOTIFICATIONS_AT_ONCE }, () => new NotificationMemory());
  readonly #sending = new Set<Waiting>();
  readonly #listeners = new Set<() => void>();
  #asked = 0;
  #stopped = false;

  constructor(
    private readonly send: Send,
    private readonly locks: HeldLocks,
    private readonly log: Log,
    /** True from the first answer that names a node until the kernel has forgotten it. */
    private readonly isKnown: (node: NodeId) => boolean = () => false,
  ) {}

  entry(parent: NodeId, name: string): void {
    // The kernel cannot know such a name.
    if (name.length > NAME_BYTES) return;
    this.#ask(keyOfName(parent, name), { kind: 'entry', parent, name });
  }

  node(node: NodeId, contents: boolean): void {
    const key = `${node}`;
    const before = (this.#queue.get(key) ?? this.#kept.get(key))?.stale;
    const more = contents || (before?.kind === 'node' && before.contents);
    this.#ask(key, { kind: 'node', node, contents: more });
  }

  /** Whether the kernel may not know yet that the name means something else. */
  isUntold(parent: NodeId, name: string): boolean {
    const key = keyOfName(parent, name);
    if (this.#queue.has(key) || this.#kept.has(key)) return true;
    for (const { stale } of this.#sending) {
      if (stale.kind === 'entry' && keyOfName(stale.parent, stale.name) === key) return true;
    }
    return false;
  }

  #ask(key: string, stale: Stale): void {
    if (this.#stopped) return;
    this.#asked++;
    const waiting = this.#queue.get(key) ?? this.#kept.get(key);
    if (waiting === undefined) this.#queue.set(key, { number: this.#asked, stale });
    else waiting.stale = stale;
    this.#pump();
  }

  /** Parked requests were answered: what was kept back for them may go. */
  locksChanged(): void {
    if (this.#kept.size === 0) return;
    const later = [...this.#queue];
    this.#queue.clear();
    for (const [key, waiting] of [...this.#kept, ...later]) this.#queue.set(key, waiting);
    this.#kept.clear();
    this.#pump();
  }

  /**
   * Resolves when what was asked so far is done, or after `timeoutMs`. What is kept back is not waited for: it cannot be
   * done before a parked request is, and who asks may be the one that this waits for.
   */
  settled(timeoutMs: number): Promise<void> {
    const upTo = this.#asked;
    if (this.#isDone(upTo)) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#listeners.delete(check);
        resolve();
      };
      const check = () => {
        if (this.#isDone(upTo)) finish();
      };
      const timer = setTimeout(finish, timeoutMs);
      timer.unref();
      this.#listeners.add(check);
    });
  }

  /** Sends nothing more. Resolves when nothing is on its way: only then the descriptor may be closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#queue.clear();
    this.#kept.clear();
    this.#progress();
    if (this.#sending.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#listeners.add(() => {
        if (this.#sending.size === 0) resolve();
      });
    });
  }

  #isDone(upTo: number): boolean {
    for (const { number } of this.#sending) if (number <= upTo) return false;
    for (const { number } of this.#queue.values()) return number > upTo;
    return true;
  }

  #progress(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #pump(): void {
    for (const [key, waiting] of this.#queue) {
      const memory = this.#idle.at(-1);
      if (memory === undefined) return;
      this.#queue.delete(key);
      if (this.#isHeld(waiting.stale)) {
        this.#kept.set(key, waiting);
        continue;
      }
      this.#idle.pop();
      this.#tell(waiting, memory);
    }
  }

  #isHeld(stale: Stale): boolean {
    if (stale.kind === 'entry') return this.locks.locksDirectory(stale.parent);
    return stale.contents && this.locks.locksPages(stale.node);
  }

  #tell(waiting: Waiting, memory: NotificationMemory): void {
    this.#sending.add(waiting);
    this.send(memory.address, memory.put(waiting.stale), (result) => {
      this.#idle.push(memory);
      if (result === -E.ENOENT && this.#isUnborn(waiting.stale)) this.#tellLater(waiting);
      else this.#told(waiting, result);
    });
  }

  #told(waiting: Waiting, result: number): void {
    this.#sending.delete(waiting);
    // ENOENT: the kernel does not know the inode or the name, so there is nothing to drop.
    if (result < 0 && result !== -E.ENOENT && !this.#stopped) {
      this.log('warn', `the kernel did not take an invalidation: ${errnoName(result)}`);
    }
    this.#pump();
    this.#progress();
  }

  /**
   * The kernel makes an inode some time after it got the answer that tells of it, with the attributes of that answer. What
   * is told in between would be lost, and the inode stay stale. Either it is made, or the kernel forgets the node.
   */
  #isUnborn(stale: Stale): boolean {
    return stale.kind === 'node' && !this.#stopped && this.isKnown(stale.node);
  }

  #tellLater(waiting: Waiting): void {
    this.#pump();
    setTimeout(() => {
      const memory = this.#isUnborn(waiting.stale) ? this.#idle.pop() : undefined;
      if (memory !== undefined) this.#tell(waiting, memory);
      else if (this.#isUnborn(waiting.stale)) this.#tellLater(waiting);
      else this.#told(waiting, 0);
    }, UNBORN_MS);
  }
}

function keyOfName(parent: NodeId, name: string): string {
  return `${parent}/${name}`;
}
