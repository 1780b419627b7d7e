import { formatObjectId, NO_STAMP, ROOT_OBJECT, type Stamp } from '../../src/core/model/ids.js';
import { isReservedAtRoot, splitPath } from '../../src/core/model/names.js';
import {
  AttrMask,
  Opcode,
  stampOf,
  type JournalRecord,
  type RecordBody,
  type RenameBody,
  type SetattrBody,
  type Time,
} from '../../src/core/model/records.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../src/core/system/attr.js';
import { changeAcl, changeMode, inheritAcls } from './acl-model.js';
import { ACCESS, DEFAULT } from './acl.js';

const RENAME_EXCHANGE = 2;
const FLAGS = 'system.izo.flags';
/** `Ad`, `S`, `D`: of chattr(1), what new objects have from their directory. */
const [INHERITED, INHERITED_BY_DIRECTORIES] = [0xc8, 0x100c8];

/** An object as a log tells of it. Names and link targets are bytes, held one a character. */
export interface ModelNode {
  /** File type and permission bits. */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: Time;
  nlink: number;
  readonly target: string | undefined;
  readonly rdev: number;
  readonly object: string;
  content: Stamp;
  attributes: Stamp;
  readonly xattrs: Map<string, string>;
  /** Inode flags. */
  flags: number;
  /** Of a directory. */
  readonly children: Map<string, ModelNode> | undefined;
}

/**
 * The tree that a log describes, made on paper: records are applied one by one, and one that cannot have happened after
 * those before it is an error. Knows nothing of how izo applies records.
 */
export class KmlModel {
  readonly root: ModelNode;
  #records = 0;
  #last = 0;

  constructor() {
    this.root = {
      ...newNode(S_IFDIR | 0o755, 0, 0, { sec: 0, nsec: 0 }, NO_STAMP),
      object: formatObjectId(ROOT_OBJECT),
    };
  }

  get records(): number {
    return this.#records;
  }

  /** @throws Error where the record contradicts the ones before it */
  apply(record: JournalRecord): void {
    const { recno } = record.head;
    try {
      if (recno <= this.#last) throw new Error(`comes after ${this.#last}`);
      this.#apply(record, record.body);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new Error(`record ${recno}, ${JSON.stringify(record.body)}: ${words}`);
    }
    this.#last = recno;
    this.#records++;
  }

  #apply(record: JournalRecord, body: RecordBody): void {
    switch (body.op) {
      case Opcode.NOOP:
        return;
      case Opcode.CREATE:
        this.#make(record, body, S_IFREG | body.mode);
        return;
      case Opcode.MKDIR:
        this.#make(record, body, S_IFDIR | body.mode);
        return;
      case Opcode.SYMLINK:
        this.#make(record, body, S_IFLNK | 0o777, body.target);
        return;
      case Opcode.MKNOD:
        this.#make(record, body, body.mode, undefined, body.rdev);
        return;
      case Opcode.LINK:
        this.#link(record, body.path, body.newPath);
        return;
      case Opcode.UNLINK:
      case Opcode.RMDIR:
        this.#remove(record, body.path, body.op === Opcode.RMDIR);
        return;
      case Opcode.RENAME:
        this.#rename(record, body);
        return;
      default:
        this.#change(record, body);
    }
  }

  #change(record: JournalRecord, body: Extract<RecordBody, { path: string }>): void {
    const node = this.#find(body.path);
    expectObject(record, node);
    if (body.op === Opcode.CLOSE) {
      const { size, mtime, mode } = body;
      Object.assign(node, { size, mtime });
      changeMode(node, mode);
      node.content = stampOf(record);
      return;
    }
    if (body.op === Opcode.SETEXTATTR) {
      if (body.name === FLAGS) node.flags = body.value.readUInt32LE();
      else if (body.name === ACCESS) changeAcl(node, Buffer.from(body.value));
      else node.xattrs.set(body.name, body.value.toString('latin1'));
    } else if (body.op === Opcode.DELEXTATTR) {
      // Everything has an ACL that can be taken away: its mode goes on without.
      const there = node.xattrs.delete(body.name) || body.name === ACCESS || body.name === DEFAULT;
      if (!there) throw new Error('there is no such attribute');
    } else if (body.op === Opcode.SETATTR) setAttributes(node, body);
    node.attributes = stampOf(record);
  }

  #directory(path: string): Map<string, ModelNode> {
    const { children } = this.#find(path);
    if (children === undefined) throw new Error(`${path} is no directory`);
    return children;
  }

  #find(path: string): ModelNode {
    let node = this.root;
    if (path === '') return node;
    for (const name of path.split('/')) {
      const child = node.children?.get(name);
      if (child === undefined) throw new Error(`there is no ${path}`);
      node = child;
    }
    return node;
  }

  /** Names change in the directory of `path` now. */
  #touch(path: string, time: Time): void {
    this.#find(splitPath(path).directory).mtime = time;
  }

  #put(path: string, node: ModelNode): void {
    const { directory, name } = splitPath(path);
    if (directory === '' && isReservedAtRoot(name)) throw new Error('the name is reserved');
    const children = this.#directory(directory);
    if (children.has(name)) throw new Error(`there is a ${path} already`);
    children.set(name, node);
  }

  #take(path: string): ModelNode {
    const { directory, name } = splitPath(path);
    const node = this.#find(path);
    this.#directory(directory).delete(name);
    return node;
  }

  #make(
    record: JournalRecord,
    body: { path: string; uid: number; gid: number },
    mode: number,
    target?: string,
    rdev = 0,
  ): void {
    const { time } = record.head;
    const node = newNode(mode, body.uid, body.gid, time, stampOf(record), target, rdev);
    expectObject(record, node);
    const directory = this.#find(splitPath(body.path).directory);
    inheritAcls(directory, node);
    inheritFlags(directory, node);
    this.#put(body.path, node);
    this.#touch(body.path, time);
  }

  #link(record: JournalRecord, path: string, newPath: string): void {
    const node = this.#find(path);
    expectObject(record, node);
    if (node.children !== undefined) throw new Error('a directory has one name');
    this.#put(newPath, node);
    node.nlink++;
    this.#touch(newPath, record.head.time);
  }

  #remove(record: JournalRecord, path: string, directories: boolean): void {
    const node = this.#find(path);
    expectObject(record, node);
    expectKind(node, directories);
    this.#take(path);
    node.nlink--;
    this.#touch(path, record.head.time);
  }

  #rename(record: JournalRecord, body: RenameBody): void {
    const { path, newPath, flags } = body;
    const { time } = record.head;
    const node = this.#find(path);
    expectObject(record, node);
    if (newPath.startsWith(`${path}/`)) throw new Error('into itself');
    const { directory, name } = splitPath(newPath);
    const replaced = this.#directory(directory).get(name);
    const expected = formatObjectId(body.replaced);
    if (replaced !== undefined && replaced.object !== expected) {
      throw new Error(`it replaces ${replaced.object}`);
    }
    if (replaced === undefined && body.replaced.number !== 0) throw new Error('replaces nothing');
    if (replaced !== undefined) this.#take(newPath);
    this.#take(path);
    this.#put(newPath, node);
    if (replaced !== undefined && (flags & RENAME_EXCHANGE) !== 0) this.#put(path, replaced);
    else if (replaced !== undefined) {
      expectKind(replaced, node.children !== undefined);
      replaced.nlink--;
    }
    this.#touch(path, time);
    this.#touch(newPath, time);
  }
}

function newNode(
  mode: number,
  uid: number,
  gid: number,
  mtime: Time,
  stamp: Stamp,
  target?: string,
  rdev = 0,
): ModelNode {
  return {
    mode,
    uid,
    gid,
    mtime,
    target,
    rdev,
    size: target?.length ?? 0,
    nlink: 1,
    object: formatObjectId({ replica: stamp.replica, number: stamp.recno }),
    content: stamp,
    attributes: stamp,
    xattrs: new Map(),
    flags: 0,
    children: (mode & S_IFMT) === S_IFDIR ? new Map() : undefined,
  };
}

function inheritFlags(directory: ModelNode, node: ModelNode): void {
  if (node.children !== undefined) node.flags = directory.flags & INHERITED_BY_DIRECTORIES;
  else if ((node.mode & S_IFMT) === S_IFREG) node.flags = directory.flags & INHERITED;
}

function expectObject(record: JournalRecord, node: ModelNode): void {
  const said = formatObjectId(record.head.object);
  if (said !== node.object) throw new Error(`is about ${said}, but there is ${node.object}`);
}

/** What goes away is a file, or an empty directory. */
function expectKind(node: ModelNode, directory: boolean): void {
  if ((node.children !== undefined) !== directory) throw new Error('of the wrong kind');
  if (node.children !== undefined && node.children.size > 0) throw new Error('is not empty');
}

function setAttributes(node: ModelNode, body: SetattrBody): void {
  const has = (bit: number): boolean => (body.valid & bit) !== 0;
  if (has(AttrMask.mode)) changeMode(node, body.mode);
  if (has(AttrMask.uid)) node.uid = body.uid;
  if (has(AttrMask.gid)) node.gid = body.gid;
  if (has(AttrMask.mtime)) node.mtime = body.mtime;
}
