import { NO_OBJECT, NO_STAMP, type ObjectId, type Stamp } from '../../../src/core/model/ids.js';
import {
  AttrMask,
  Opcode,
  type JournalRecord,
  type RecordBody,
  type SetattrBody,
  type Time,
} from '../../../src/core/model/records.js';
import type { PaperObject, PaperTree } from './tree.js';

const RENAME_EXCHANGE = 2;
const OWN = { uid: 0, gid: 0 };
const EPOCH: Time = { sec: 0, nsec: 0 };

/** A host on paper: what its user does becomes records, and what the tree does not allow did not happen. */
export class PaperHost {
  records: JournalRecord[] = [];
  #recno: number;

  constructor(
    readonly replica: number,
    public tree: PaperTree,
    private readonly clock: () => Time,
    recno = 0,
  ) {
    this.#recno = recno;
  }

  get recno(): number {
    return this.#recno;
  }

  /** Numbers up to this one have been given to records. */
  spend(recno: number): void {
    this.#recno = Math.max(this.#recno, recno);
  }

  /** Some files, so that what all do next concerns the same ones. */
  furnish(): void {
    this.mkdir('d');
    for (const path of ['a', 'b', 'c', 'd/a', 'd/b']) {
      this.create(path);
      this.write(path, 'same');
    }
  }

  create(path: string): void {
    this.#try({ op: Opcode.CREATE, path, mode: 0o644, ...OWN });
  }

  mkdir(path: string): void {
    this.#try({ op: Opcode.MKDIR, path, mode: 0o755, ...OWN });
  }

  symlink(path: string, target: string): void {
    this.#try({ op: Opcode.SYMLINK, path, target, ...OWN });
  }

  write(path: string, data: string): void {
    const { id, mode } = this.tree.get(path);
    const mtime = this.clock();
    const handle = { ino: id.number * 8 + id.replica, generation: 0 };
    const what = { size: data.length, mtime, mode, handle, ranges: [] };
    this.#try({ op: Opcode.CLOSE, path, ...what }, id, data);
  }

  /** As editors save: a new file is renamed over the old one. */
  save(path: string, data: string): void {
    const temporary = `${path}.new`;
    if (this.tree.find(temporary) !== undefined) return;
    this.create(temporary);
    this.write(temporary, data);
    this.rename(temporary, path);
  }

  rename(path: string, newPath: string, flags = 0): void {
    const object = this.tree.get(path);
    const there = this.tree.find(newPath);
    if (there === object) return;
    const replaced = there?.id ?? NO_OBJECT;
    const replacedStamp = there?.content ?? NO_STAMP;
    this.#try({ op: Opcode.RENAME, path, newPath, flags, replaced, replacedStamp }, object.id);
  }

  exchange(path: string, other: string): void {
    this.rename(path, other, RENAME_EXCHANGE);
  }

  link(path: string, newPath: string): void {
    this.#try({ op: Opcode.LINK, path, newPath }, this.tree.get(path).id);
  }

  unlink(path: string): void {
    this.#try({ op: Opcode.UNLINK, path }, this.tree.get(path).id);
  }

  rmdir(path: string): void {
    this.#try({ op: Opcode.RMDIR, path }, this.tree.get(path).id);
  }

  /** As `rm -r`. */
  remove(path: string): void {
    const object = this.tree.get(path);
    for (const name of [...object.children.keys()]) this.remove(`${path}/${name}`);
    if (object.kind === 'directory') this.rmdir(path);
    else this.unlink(path);
  }

  chmod(path: string, mode: number): void {
    this.#setattr(path, { valid: AttrMask.mode, mode });
  }

  chown(path: string, uid: number, gid: number): void {
    this.#setattr(path, { valid: AttrMask.uid | AttrMask.gid, uid, gid });
  }

  utime(path: string, sec: number): void {
    this.#setattr(path, { valid: AttrMask.mtime, mtime: { sec, nsec: 0 } });
  }

  #setattr(path: string, set: Pick<SetattrBody, 'valid'> & Partial<SetattrBody>): void {
    const nothing = { mode: 0, uid: 0, gid: 0, atime: EPOCH, mtime: EPOCH };
    this.#try({ op: Opcode.SETATTR, path, ...nothing, ...set }, this.tree.get(path).id);
  }

  setxattr(path: string, name: string, value: string): void {
    const { id, kind } = this.tree.get(path);
    // xattr(7): users give them to files and directories only.
    if (kind !== 'file' && kind !== 'directory') return;
    const body = { path, name, value: Buffer.from(value, 'latin1'), flags: 0 };
    this.#try({ op: Opcode.SETEXTATTR, ...body }, id);
  }

  delxattr(path: string, name: string): void {
    const object: PaperObject = this.tree.get(path);
    if (object.xattrs.has(name)) this.#try({ op: Opcode.DELEXTATTR, path, name }, object.id);
  }

  /** The version of what the update changes, as presto has it: of names, that of the contents. */
  #versionBefore(body: RecordBody, id: ObjectId | undefined): Stamp {
    const object = id === undefined ? undefined : this.tree.byId(id);
    if (object === undefined) return NO_STAMP;
    switch (body.op) {
      case Opcode.SETATTR:
      case Opcode.SETEXTATTR:
      case Opcode.DELEXTATTR:
        return object.attributes;
      default:
        return object.content;
    }
  }

  #try(body: RecordBody, object?: ObjectId, data?: string): void {
    const recno = this.#recno + 1;
    const actor = { uid: 0, gid: 0, pid: 1, groups: [] };
    const record: JournalRecord = {
      head: {
        recno,
        origin: this.replica,
        originRecno: recno,
        time: body.op === Opcode.CLOSE ? body.mtime : this.clock(),
        actor,
        object: object ?? { replica: this.replica, number: recno },
        before: this.#versionBefore(body, object),
      },
      body,
    };
    const before = this.tree.copy();
    try {
      this.tree.apply(record, data);
    } catch {
      this.tree = before;
      return;
    }
    this.#recno = recno;
    this.records.push(record);
  }
}
