import { NO_OBJECT, NO_STAMP, type ObjectId } from '../../../../src/core/model/ids.js';
import {
  AttrMask,
  Opcode,
  type JournalRecord,
  type RecordBody,
  type Time,
} from '../../../../src/core/model/records.js';
import type { PaperTree } from './paper-tree.js';
import { type PaperObject } from './paper-tree.js';

/** What a user does: numbers choose among what there is. */
export interface Act {
  readonly kind: (typeof ACTS)[number];
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export const ACTS = [
  'create',
  'mkdir',
  'symlink',
  'write',
  'write',
  'save',
  'rename',
  'rename',
  'exchange',
  'link',
  'unlink',
  'unlink',
  'rmdir',
  'removeAll',
  'chmod',
  'chown',
  'utime',
  'setxattr',
  'delxattr',
] as const;

const NAMES = ['a', 'b', 'c', 'd'];

/** A host on paper, whose user's acts become records. */
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

  act({ kind, a, b, c }: Act): void {
    const everything = [...this.tree.walk()];
    const pick = (n: number, wanted: (path: string, o: PaperObject) => boolean) => {
      const fitting = everything.filter(([path, o]) => wanted(path, o));
      return fitting[n % Math.max(1, fitting.length)];
    };
    const directory = pick(a, (_, o) => o.kind === 'directory')?.[0] ?? '';
    const newPath = directory === '' ? name(b) : `${directory}/${name(b)}`;
    const any = pick(c, (path) => path !== '');
    const file = pick(c, (_, o) => o.kind === 'file');
    const own = { uid: 0, gid: 0 };
    switch (kind) {
      case 'create':
        this.#try({ op: Opcode.CREATE, path: newPath, mode: 0o644, ...own });
        return;
      case 'mkdir':
        this.#try({ op: Opcode.MKDIR, path: newPath, mode: 0o755, ...own });
        return;
      case 'symlink':
        this.#try({ op: Opcode.SYMLINK, path: newPath, target: `to-${c % 2}`, ...own });
        return;
      case 'write':
        if (file !== undefined) this.#write(file[0], c);
        return;
      case 'save':
        if (file !== undefined) this.#save(file[0], c);
        return;
      case 'rename':
      case 'exchange':
        if (any !== undefined) this.#rename(any[0], newPath, kind === 'exchange' ? 2 : 0);
        return;
      case 'link':
        if (file !== undefined) this.#try({ op: Opcode.LINK, path: file[0], newPath }, file[1].id);
        return;
      case 'unlink': {
        const found = pick(c, (_, o) => o.kind !== 'directory');
        if (found !== undefined) this.#try({ op: Opcode.UNLINK, path: found[0] }, found[1].id);
        return;
      }
      case 'rmdir': {
        const found = pick(c, (path, o) => path !== '' && o.kind === 'directory');
        if (found !== undefined) this.#try({ op: Opcode.RMDIR, path: found[0] }, found[1].id);
        return;
      }
      case 'removeAll':
        if (any !== undefined) this.#removeAll(any[0], any[1]);
        return;
      default:
        this.#setattr(kind, everything[c % everything.length], a, b);
    }
  }

  #setattr(
    kind: Act['kind'],
    found: [string, PaperObject] | undefined,
    a: number,
    b: number,
  ): void {
    if (found === undefined) return;
    const [path, { id, kind: type }] = found;
    const zero = {
      mode: 0,
      uid: 0,
      gid: 0,
      atime: { sec: 0, nsec: 0 },
      mtime: { sec: 0, nsec: 0 },
    };
    const set = { op: Opcode.SETATTR, path, ...zero } as const;
    if (kind === 'chmod' && type !== 'symlink') {
      this.#try({ ...set, valid: AttrMask.mode, mode: 0o600 + (a % 3) }, id);
    }
    if (kind === 'chown')
      this.#try({ ...set, valid: AttrMask.uid | AttrMask.gid, uid: a % 3, gid: b % 3 }, id);
    if (kind === 'utime')
      this.#try({ ...set, valid: AttrMask.mtime, mtime: { sec: a % 9, nsec: 0 } }, id);
    if (kind === 'setxattr') {
      const value = Buffer.from(`v${b % 3}`);
      this.#try({ op: Opcode.SETEXTATTR, path, name: `user.${a % 2}`, value, flags: 0 }, id);
    }
    const removed = `user.${a % 2}`;
    if (kind === 'delxattr' && found[1].xattrs.has(removed)) {
      this.#try({ op: Opcode.DELEXTATTR, path, name: removed }, id);
    }
  }

  #write(path: string, n: number): void {
    const object = this.tree.get(path);
    const mtime = this.clock();
    // Few different contents, so that both sides come to the same ones now and then.
    const data = n % 4 === 0 ? 'same' : `${this.replica}-${this.#recno + 1}-${n % 7}`;
    const handle = { ino: object.id.number * 8 + object.id.replica, generation: 0 };
    const { mode } = object;
    this.#try(
      { op: Opcode.CLOSE, path, size: data.length, mtime, mode, handle, ranges: [] },
      object.id,
      data,
    );
  }

  /** As editors save: a new file is renamed over the old one. */
  #save(path: string, n: number): void {
    const temporary = `${path}.new`;
    if (this.tree.find(temporary) !== undefined) return;
    this.#try({ op: Opcode.CREATE, path: temporary, mode: 0o644, uid: 0, gid: 0 });
    this.#write(temporary, n);
    this.#rename(temporary, path, 0);
  }

  #rename(path: string, newPath: string, flags: number): void {
    const object = this.tree.get(path);
    const there = this.tree.find(newPath);
    if (there === object) return;
    const replaced = there?.id ?? NO_OBJECT;
    const replacedStamp = there?.content ?? NO_STAMP;
    this.#try({ op: Opcode.RENAME, path, newPath, flags, replaced, replacedStamp }, object.id);
  }

  #removeAll(path: string, object: PaperObject): void {
    for (const [name, child] of [...object.children]) this.#removeAll(`${path}/${name}`, child);
    const op = object.kind === 'directory' ? Opcode.RMDIR : Opcode.UNLINK;
    this.#try({ op, path }, object.id);
  }

  /** What the tree does not allow, did not happen. */
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
        before: NO_STAMP,
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

function name(n: number): string {
  return NAMES[n % NAMES.length] ?? 'a';
}
