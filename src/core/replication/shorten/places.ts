import type { ObjectId } from '../../model/ids.js';
import { Opcode, type JournalRecord } from '../../model/records.js';

export const RENAME_EXCHANGE = 2;

/** A directory that some record names, by whatever path it has at the time. */
export interface Directory {
  /** The object, where a record of the window makes it. */
  readonly made: string | undefined;
  readonly children: Map<string, Directory>;
}

/** A record and where in the tree it acts. */
export interface Step {
  readonly record: JournalRecord;
  /** Its object; '' for one without an identity. */
  readonly object: string;
  /** Directories in which names change, and so the time of modification. */
  readonly touches: readonly Directory[];
  /** All directories on its paths. */
  readonly through: readonly Directory[];
  /** The directory whose attributes it sets, if it is known to be one. */
  readonly directory: Directory | undefined;
  /** The directory that it takes away. */
  readonly removes: Directory | undefined;
}

export function keyOf({ replica, number }: ObjectId): string {
  return replica === 0 && number === 0 ? '' : `${replica}:${number}`;
}

/** Follows the directories through the renames of a history, so that two paths are known to lead into the same one. */
export class Places {
  readonly #root = newDirectory();

  step(record: JournalRecord): Step {
    const { body, head } = record;
    const object = keyOf(head.object);
    const through: Directory[] = [];
    const touches: Directory[] = [];
    let directory: Directory | undefined;
    let removes: Directory | undefined;
    switch (body.op) {
      case Opcode.NOOP:
        break;
      case Opcode.RENAME: {
        const from = this.#parent(body.path, through);
        const to = this.#parent(body.newPath, through);
        touches.push(from.parent, to.parent);
        const moved = from.parent.children.get(from.name);
        const there = to.parent.children.get(to.name);
        const isExchange = (body.flags & RENAME_EXCHANGE) !== 0;
        if (!isExchange) removes = there;
        put(from, isExchange ? there : undefined);
        put(to, moved);
        break;
      }
      case Opcode.LINK:
        this.#parent(body.path, through);
        touches.push(this.#parent(body.newPath, through).parent);
        break;
      case Opcode.CREATE:
      case Opcode.MKDIR:
      case Opcode.MKNOD:
      case Opcode.SYMLINK:
      case Opcode.UNLINK:
      case Opcode.RMDIR: {
        const place = this.#parent(body.path, through);
        touches.push(place.parent);
        removes = place.parent.children.get(place.name);
        put(place, body.op === Opcode.MKDIR ? newDirectory(object) : undefined);
        break;
      }
      default:
        if (body.path === '') directory = this.#root;
        else {
          const { parent, name } = this.#parent(body.path, through);
          directory = parent.children.get(name);
        }
    }
    return { record, object, touches, through, directory, removes };
  }

  #parent(path: string, through: Directory[]): { parent: Directory; name: string } {
    const names = path.split('/');
    const name = names.pop() ?? '';
    let parent = this.#root;
    for (const each of names) {
      let child = parent.children.get(each);
      if (child === undefined) {
        child = newDirectory();
        parent.children.set(each, child);
      }
      parent = child;
      through.push(parent);
    }
    return { parent, name };
  }
}

function newDirectory(made?: string): Directory {
  return { made, children: new Map() };
}

function put(
  { parent, name }: { parent: Directory; name: string },
  directory: Directory | undefined,
): void {
  if (directory === undefined) parent.children.delete(name);
  else parent.children.set(name, directory);
}
