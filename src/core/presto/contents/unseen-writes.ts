import type { Caller, NodeId } from '../../fuse/port.js';
import { O_RDONLY, isOpenForWriting } from '../../system/files.js';
import type { Contents } from './contents.js';
import { HeldFile } from '../tree/held-file.js';
import type { LowerTree } from '../tree/lower-tree.js';
import type { Node } from '../tree/node.js';
import type { PermitGate } from '../permit-gate.js';
import { Unseen, type WatchedFile } from './unseen.js';

/** Time between looks at what may be written. */
const LOOK_MS = 1_000;

/**
 * While readers of a file are passed through, the kernel maps the lower file itself, also for a program that opens it for
 * reading and writing: what that one writes to a shared mapping nobody tells of. Such a file counts as written from the
 * open on, and after a CLOSE from when its time has moved, until no program can write it in this way any more. All that time
 * a note in the LML says that it may have been written: after a crash it gets a CLOSE, whether or not it was. Not where
 * another host may update: a CLOSE would contradict it. A crash before the permit has come back hides what is written then.
 */
export class UnseenWrites {
  readonly #nodes = new Set<Node>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly tree: LowerTree,
    private readonly contents: Contents,
    private readonly gate: PermitGate,
    /** What the kernel has cached of a node is out of date. */
    private readonly contentsMoved: (node: NodeId) => void,
  ) {}

  /** A program has opened the file in this way, as `fd`. @returns 0 or a negated errno: then it must not have it. */
  opened(node: Node, fd: number, caller: Caller): number {
    if (node.unseen === undefined) {
      const file = this.#watch(node);
      const reading = file.descriptor();
      if (reading < 0) return reading;
      const slot = this.contents.noteMapped(node, reading);
      if (slot < 0) {
        file.close();
        return slot;
      }
      this.#nodes.add(node);
      node.unseen = new Unseen(file, { ...caller });
      node.unseen.slot = slot;
      node.writers++;
      this.tree.table.hold(node);
      this.#lookLater();
    }
    const ready = this.contents.begin(node, fd, caller);
    if (ready < 0) return ready;
    node.written?.addEverything();
    node.unseen.handles++;
    return 0;
  }

  #watch(node: Node): WatchedFile {
    const { tree } = this;
    const held = new HeldFile(node, O_RDONLY);
    return {
      descriptor: () => tree.descriptorOf(held),
      stat: (out) => tree.stat(node, out),
      close: () => {
        tree.table.descriptors.close(held);
      },
    };
  }

  /** The program has closed it: unless it has it mapped, that was all. */
  closed(node: Node): void {
    if (node.unseen === undefined) return;
    node.unseen.handles--;
    this.#look(node, node.unseen);
  }

  /** The permit is about to leave: what is not noted yet has to be. */
  note(): void {
    for (const node of this.#nodes) {
      if (node.unseen?.moved() === true) this.#begin(node, node.unseen);
    }
  }

  /** To be called when the gate has opened or shut. */
  gateMoved(): void {
    for (const node of this.#nodes) if (node.unseen !== undefined) this.#note(node, node.unseen);
  }

  #note(node: Node, unseen: Unseen): void {
    if (this.gate.isOpen) {
      if (unseen.slot < 0) unseen.slot = this.contents.noteMapped(node, unseen.fd);
    } else this.#clear(unseen);
  }

  #clear(unseen: Unseen): void {
    if (unseen.slot >= 0) this.contents.clearMapped(unseen.slot);
    unseen.slot = -1;
  }

  #begin(node: Node, unseen: Unseen): number {
    this.contentsMoved(node.id);
    const result = this.contents.begin(node, unseen.fd, unseen.caller);
    node.written?.addEverything();
    return result;
  }

  #look(node: Node, unseen: Unseen): void {
    this.#note(node, unseen);
    // In this order: what was written before nobody could any more has moved the time.
    const over = unseen.handles === 0 && !isOpenForWriting(unseen.fd);
    const moved = unseen.moved();
    if (moved && (this.gate.enter() !== 0 || this.#begin(node, unseen) < 0)) unseen.remember();
    else if (over || !moved) {
      const result = this.contents.close(node, unseen.fd, unseen.caller);
      if (over && result >= 0) this.#forget(node, unseen);
    }
  }

  #forget(node: Node, unseen: Unseen): void {
    this.#nodes.delete(node);
    this.#clear(unseen);
    node.unseen = undefined;
    node.writers--;
    unseen.file.close();
    this.tree.table.unhold(node);
  }

  #lookLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const node of this.#nodes) if (node.unseen !== undefined) this.#look(node, node.unseen);
      if (this.#nodes.size > 0) this.#lookLater();
    }, LOOK_MS).unref();
  }

  /** The mount is gone: nobody writes any more. */
  close(): void {
    clearTimeout(this.#timer);
    for (const node of this.#nodes) if (node.unseen !== undefined) this.#forget(node, node.unseen);
  }
}
