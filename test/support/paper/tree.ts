import {
  formatObjectId,
  NO_OBJECT,
  NO_STAMP,
  ROOT_OBJECT,
  sameStamp,
  type ObjectId,
  type Stamp,
} from '../../../src/core/model/ids.js';
import type { TreeEntry } from '../../../src/core/model/object-description.js';
import { splitPath } from '../../../src/core/model/names.js';
import {
  AttrMask,
  Opcode,
  stampOf,
  type JournalRecord,
  type Time,
} from '../../../src/core/model/records.js';

export type Kind = 'file' | 'directory' | 'symlink' | 'fifo';

/** An object of a tree on paper. */
export interface PaperObject {
  id: ObjectId;
  readonly kind: Kind;
  readonly children: Map<string, PaperObject>;
  data: string;
  content: Stamp;
  attributes: Stamp;
  mode: number;
  uid: number;
  gid: number;
  mtime: Time;
  readonly target: string;
  readonly xattrs: Map<string, string>;
}

export const EPOCH: Time = { sec: 0, nsec: 0 };

/** A tree on paper that applies records as strictly as a replica does: one that does not fit is an error. */
export class PaperTree {
  root = newObject('directory', ROOT_OBJECT, NO_STAMP, EPOCH);

  copy(): PaperTree {
    const copies = new Map<PaperObject, PaperObject>();
    const copyOf = (o: PaperObject): PaperObject => {
      const known = copies.get(o);
      if (known !== undefined) return known;
      const copy: PaperObject = { ...o, children: new Map(), xattrs: new Map(o.xattrs) };
      copies.set(o, copy);
      for (const [name, child] of o.children) copy.children.set(name, copyOf(child));
      return copy;
    };
    const tree = new PaperTree();
    tree.root = copyOf(this.root);
    return tree;
  }

  find(path: string): PaperObject | undefined {
    let at: PaperObject | undefined = this.root;
    if (path === '') return at;
    for (const name of path.split('/')) at = at?.children.get(name);
    return at;
  }

  get(path: string): PaperObject {
    const found = this.find(path);
    if (found === undefined) throw new Error(`there is no ${path}`);
    return found;
  }

  parent(path: string): { directory: PaperObject; name: string } {
    const { directory, name } = splitPath(path);
    const found = this.get(directory);
    if (found.kind !== 'directory') throw new Error(`${directory} is no directory`);
    return { directory: found, name };
  }

  /** Every path with its object, parents first. */
  *walk(): Iterable<[string, PaperObject]> {
    yield ['', this.root];
    yield* walk('', this.root);
  }

  byId(id: ObjectId): PaperObject | undefined {
    for (const [, object] of this.walk()) if (same(object.id, id)) return object;
    return undefined;
  }

  namesOf(id: ObjectId): string[] {
    return [...this.walk()].filter(([, object]) => same(object.id, id)).map(([path]) => path);
  }

  put(path: string, object: PaperObject, time: Time): void {
    const { directory, name } = this.parent(path);
    if (directory.children.has(name)) throw new Error(`there is a ${path} already`);
    directory.children.set(name, object);
    directory.mtime = time;
  }

  take(path: string, time: Time): PaperObject {
    const { directory, name } = this.parent(path);
    const object = this.get(path);
    directory.children.delete(name);
    directory.mtime = time;
    return object;
  }

  /** @param data the contents that come with a CLOSE; undefined: superseded */
  apply(record: JournalRecord, data?: string): void {
    const { head, body } = record;
    if (body.op === Opcode.NOOP) return;
    const stamp = stampOf(record);
    switch (body.op) {
      case Opcode.CREATE:
      case Opcode.MKDIR:
      case Opcode.SYMLINK:
      case Opcode.MKNOD: {
        const target = body.op === Opcode.SYMLINK ? body.target : '';
        const made = newObject(KIND[body.op], head.object, stamp, head.time, target);
        made.mode = 'mode' in body ? body.mode & 0o7777 : 0o777;
        Object.assign(made, { uid: body.uid, gid: body.gid });
        this.put(body.path, made, head.time);
        return;
      }
      case Opcode.UNLINK:
      case Opcode.RMDIR: {
        const object = this.expect(body.path, head.object);
        const isDirectory = object.kind === 'directory';
        if (isDirectory !== (body.op === Opcode.RMDIR)) throw new Error('of the wrong kind');
        if (object.children.size > 0) throw new Error(`${body.path} is not empty`);
        this.take(body.path, head.time);
        return;
      }
      case Opcode.LINK:
        this.put(body.newPath, this.expect(body.path, head.object), head.time);
        return;
      case Opcode.RENAME:
        this.#rename(record);
        return;
      default:
        this.#change(record, data);
    }
  }

  #rename(record: JournalRecord): void {
    const { head, body } = record;
    if (body.op !== Opcode.RENAME) return;
    const { path, newPath } = body;
    const object = this.expect(path, head.object);
    if (`${newPath}/`.startsWith(`${path}/`)) throw new Error('into itself');
    const there = this.find(newPath);
    if (!same(there?.id ?? NO_OBJECT, body.replaced)) throw new Error(`${newPath} is another`);
    if ((body.flags & 2) !== 0) {
      if (there === undefined) throw new Error('nothing to exchange with');
      if (`${path}/`.startsWith(`${newPath}/`)) throw new Error('into itself');
    } else if (there !== undefined) {
      if ((there.kind === 'directory') !== (object.kind === 'directory')) throw new Error('kinds');
      if (there.children.size > 0) throw new Error('not empty');
    }
    if (there !== undefined) this.take(newPath, head.time);
    this.take(path, head.time);
    this.put(newPath, object, head.time);
    if (there !== undefined && (body.flags & 2) !== 0) this.put(path, there, head.time);
  }

  #change(record: JournalRecord, data: string | undefined): void {
    const { head, body } = record;
    if (!('path' in body)) return;
    const object = this.expect(body.path, head.object);
    if (body.op === Opcode.CLOSE) {
      // As presto: what has that version of the contents needs nothing.
      if (data === undefined || sameStamp(object.content, stampOf(record))) return;
      Object.assign(object, { data, mtime: body.mtime, mode: body.mode, content: stampOf(record) });
      return;
    }
    object.attributes = stampOf(record);
    if (body.op === Opcode.SETEXTATTR) object.xattrs.set(body.name, body.value.toString('latin1'));
    if (body.op === Opcode.DELEXTATTR) object.xattrs.delete(body.name);
    if (body.op !== Opcode.SETATTR) return;
    if ((body.valid & AttrMask.mode) !== 0) object.mode = body.mode;
    if ((body.valid & AttrMask.uid) !== 0) object.uid = body.uid;
    if ((body.valid & AttrMask.gid) !== 0) object.gid = body.gid;
    if ((body.valid & AttrMask.mtime) !== 0) object.mtime = body.mtime;
  }

  expect(path: string, id: ObjectId): PaperObject {
    const object = this.get(path);
    if (!same(object.id, id)) {
      throw new Error(`${path} is ${formatObjectId(object.id)}, not ${formatObjectId(id)}`);
    }
    return object;
  }

  /** Everything that anybody asks for, as text. The contents of what is no file have no version: nobody reads their stamp. */
  describe(): string[] {
    return [...this.walk()].map(([path, o]) => {
      const id = (stamp: Stamp): string => `${stamp.replica}.${stamp.recno}`;
      const attrs = `${o.mode.toString(8)} ${o.uid}:${o.gid} ${o.mtime.sec}`;
      const xattrs = [...o.xattrs].sort().map(([k, v]) => `${k}=${v}`);
      const content = o.kind === 'file' ? id(o.content) : '-';
      const versions = `${o.id.replica}:${o.id.number} ${content} ${id(o.attributes)}`;
      return `/${path} ${o.kind} ${o.data || o.target} ${attrs} ${versions} ${xattrs.join()}`;
    });
  }
}

const KIND = {
  [Opcode.CREATE]: 'file',
  [Opcode.MKDIR]: 'directory',
  [Opcode.SYMLINK]: 'symlink',
  [Opcode.MKNOD]: 'fifo',
} as const;

export function newObject(
  kind: Kind,
  id: ObjectId,
  stamp: Stamp,
  mtime: Time,
  target = '',
): PaperObject {
  return {
    id,
    kind,
    children: new Map(),
    data: '',
    content: stamp,
    attributes: stamp,
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime,
    target,
    xattrs: new Map(),
  };
}

export function same(a: ObjectId, b: ObjectId): boolean {
  return a.replica === b.replica && a.number === b.number;
}

function* walk(path: string, object: PaperObject): Iterable<[string, PaperObject]> {
  for (const name of [...object.children.keys()].sort()) {
    const child = object.children.get(name);
    if (child === undefined) continue;
    const at = path === '' ? name : `${path}/${name}`;
    yield [at, child];
    yield* walk(at, child);
  }
}

const TYPES = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  fifo: 0o010000,
} as const;

/** The tree as one host tells another of it. */
export function entriesOf(tree: PaperTree): TreeEntry[] {
  return [...tree.walk()].map(([path, o]) => {
    const { uid, gid, mtime, target, id: object, content, attributes } = o;
    const xattrs = [...o.xattrs].map(([name, value]) => ({
      name,
      value: Buffer.from(value, 'latin1'),
    }));
    const sizes = { size: o.data.length, checksum: 0, rdev: 0 };
    const mode = o.mode | TYPES[o.kind];
    return { path, mode, uid, gid, ...sizes, mtime, target, object, content, attributes, xattrs };
  });
}
