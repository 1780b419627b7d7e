import { readdirSync } from 'node:fs';
import { newIdentity } from '../../cache/identity.js';
import { NO_STAMP } from '../../model/ids.js';
import { childPath, type Node } from '../tree/node.js';
import { isReservedAtRoot } from '../../model/names.js';
import { AttrMask, Opcode, type RecordBody, type Time } from '../../model/records.js';
import { Attr, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../system/attr.js';
import { must } from '../../system/errno.js';
import { O_RDONLY, close, readlinkat } from '../../system/files.js';
import { generationOf } from '../../system/handles.js';
import { Memory } from '../../system/native.js';
import { getxattrAt, listxattrAt } from '../../system/xattrs.js';
import { IDENTITY_XATTR } from '../../cache/identity.js';
import { encodeDevice } from '../../system/device-numbers.js';
import { JournaledNames } from '../tree/journaled-names.js';
import { LocalUpdates } from '../local-updates.js';
import { PRESTO_ITSELF, type Presto } from '../presto.js';

/**
 * Journals a tree that was there before its log, as if it were being made: "the fileset is created on the server,
 * possibly populated" (HOWTO), also by `mkizofs --convert` or by hand. So the first synchronisation is the same stream as
 * every other. Objects that have an identity are made: interrupted, it goes on where it was. The root's identity is written
 * last and says that all is done. Changes no contents and no times.
 * @param onObject called with their number so far
 * @returns the number of objects taken in
 * @throws SystemError
 */
export function adoptTree(
  presto: Presto,
  onObject: (adopted: number) => void = () => undefined,
): number {
  const isDone = presto.tree.identity.isWritten(presto.table.root);
  return isDone ? 0 : new Adoption(presto, onObject).run();
}

class Adoption {
  readonly #attr = new Attr();
  readonly #memory = new Memory(65536);
  /** The path at which each file with several names was made, by inode. */
  readonly #firstNames = new Map<number, string>();
  /** What an earlier adoption, which was interrupted, has journaled. */
  readonly #earlier: JournaledNames;
  readonly #updates: LocalUpdates;
  #adopted = 0;

  constructor(
    private readonly presto: Presto,
    private readonly onObject: (adopted: number) => void,
  ) {
    this.#earlier = new JournaledNames(presto.logs);
    this.#updates = new LocalUpdates(presto.logs, () => undefined, presto.cache);
  }

  run(): number {
    const { table } = this.presto;
    must('stat', this.presto.tree.stat(table.root, this.#attr), 'root');
    const rootTime = mtimeOf(this.#attr);
    this.#directory(table.root, rootTime);
    const { identity } = this.presto.tree;
    if (this.#adopted > 0) this.#times(table.root, '', rootTime);
    else must('setxattr', identity.write(table.root, identity.of(table.root)), 'root');
    return this.#adopted;
  }

  /** `time`: the directory's, which every entry made in it leaves it with. */
  #directory(directory: Node, time: Time): void {
    const { table } = this.presto;
    const fd = must('open', table.directoryFd(directory), directory.name);
    table.hold(directory);
    for (const raw of readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' })) {
      const name = raw.toString('latin1');
      if (directory === table.root && isReservedAtRoot(name)) continue;
      const node = table.find(directory, name, this.#attr);
      if (typeof node === 'number') must('stat', node, name);
      else this.#object(directory, name, node, time);
    }
    table.unhold(directory);
  }

  #object(directory: Node, name: string, node: Node, time: Time): void {
    const path = childPath(directory, name);
    if (path === undefined) return;
    const { table } = this.presto;
    // Until all is done with it: what is dropped from the table would be opened again, and closed by nobody.
    table.hold(node);
    this.#take(path, node, time);
    table.unhold(node);
  }

  #take(path: string, node: Node, time: Time): void {
    const { identity } = this.presto.tree;
    const own = mtimeOf(this.#attr);
    const known = identity.of(node).object.number !== 0;
    const linked = !node.isDirectory && this.#attr.nlink > 1;
    if (!known) this.#make(node, path, time);
    if (linked) this.#link(node, path, time);
    if (node.isDirectory) this.#directory(node, own);
    if (!this.#isClosed(node)) {
      this.#xattrs(node, path);
      if ((node.kind & S_IFMT) === S_IFREG) this.#close(node, path);
      else this.#times(node, path, own);
      this.onObject(++this.#adopted);
    }
  }

  /** A file's CLOSE is its last record. What has none gets all but its making once more, where this goes on: no harm. */
  #isClosed(node: Node): boolean {
    const { object, content } = this.presto.tree.identity.of(node);
    return object.replica !== content.replica || object.number !== content.recno;
  }

  #make(node: Node, path: string, time: Time): void {
    const { mode, uid, gid } = this.#attr;
    const { identity } = this.presto.tree;
    const flags = node.parent === undefined ? 0 : identity.inheritedFlags(node.parent, mode);
    const update = { ...this.#updates.next(), time };
    const object = { replica: update.stamp.replica, number: update.stamp.recno };
    const body = this.#making(node, path, mode, uid, gid);
    const made = this.#updates.perform(PRESTO_ITSELF, update, object, NO_STAMP, body, () =>
      identity.write(node, newIdentity(object, update.stamp, flags)),
    );
    must('journal', made, path);
  }

  #making(node: Node, path: string, mode: number, uid: number, gid: number): RecordBody {
    const bits = mode & 0o7777;
    switch (node.kind & S_IFMT) {
      case S_IFDIR:
        return { op: Opcode.MKDIR, path, mode: bits, uid, gid };
      case S_IFREG:
        return { op: Opcode.CREATE, path, mode: bits, uid, gid };
      case S_IFLNK:
        return { op: Opcode.SYMLINK, path, target: this.#target(node), uid, gid };
      default: {
        const rdev = encodeDevice(this.#attr.rdevMajor, this.#attr.rdevMinor);
        return { op: Opcode.MKNOD, path, mode, uid, gid, rdev };
      }
    }
  }

  #target(node: Node): string {
    const at = this.presto.table.locate(node);
    const length = must(
      'readlink',
      readlinkat(at.fd, at.name, this.#memory.address, this.#memory.length),
      node.name,
    );
    return this.#memory.buffer.toString('latin1', 0, length);
  }

  /** Another name of a file that has been taken in under an earlier one. */
  #link(node: Node, newPath: string, time: Time): void {
    const { object, content } = this.presto.tree.identity.of(node);
    const first = this.#firstNames.get(node.ino) ?? this.#earlier.madeAt(object.number) ?? newPath;
    this.#firstNames.set(node.ino, first);
    if (newPath === first || this.#earlier.isLink(newPath)) return;
    const update = { ...this.#updates.next(), time };
    const body: RecordBody = { op: Opcode.LINK, path: first, newPath };
    must(
      'journal',
      this.#updates.perform(PRESTO_ITSELF, update, object, content, body, () => 0),
    );
  }

  #close(node: Node, path: string): void {
    const { tree } = this.presto;
    const fd = must('open', tree.open(node, O_RDONLY), path);
    const update = this.#updates.next();
    const identity = tree.identity.of(node);
    must('stat', tree.stat(node, this.#attr), path);
    const body: RecordBody = {
      op: Opcode.CLOSE,
      path,
      size: this.#attr.size,
      mtime: mtimeOf(this.#attr),
      mode: this.#attr.mode & 0o7777,
      handle: { ino: node.ino, generation: Math.max(0, generationOf(fd)) },
      ranges: [],
    };
    const { object, content } = identity;
    const closed = this.#updates.perform(PRESTO_ITSELF, update, object, content, body, () =>
      tree.identity.write(node, { ...identity, content: update.stamp }, fd),
    );
    close(fd);
    must('journal', closed, path);
  }

  /** What is no regular file has its own time set by a record of its own, after all that changes it. */
  #times(node: Node, path: string, mtime: Time): void {
    const none = { sec: 0, nsec: 0 };
    const values = { mode: 0, uid: 0, gid: 0, atime: none, mtime };
    this.#attribute(node, { op: Opcode.SETATTR, path, valid: AttrMask.mtime, ...values });
  }

  #xattrs(node: Node, path: string): void {
    const { table } = this.presto;
    const { address, length: room, buffer } = this.#memory;
    const at = { ...table.locate(node) };
    const length = must('listxattr', listxattrAt(at.fd, at.name, address, room), path);
    for (const name of buffer.toString('latin1', 0, length).split('\0')) {
      if (name === '' || name === IDENTITY_XATTR) continue;
      const size = must('getxattr', getxattrAt(at.fd, at.name, name, address, room), path);
      const value = Buffer.from(buffer.subarray(0, size));
      this.#attribute(node, { op: Opcode.SETEXTATTR, path, name, value, flags: 0 });
    }
  }

  #attribute(node: Node, body: RecordBody): void {
    const { identity } = this.presto.tree;
    const update = this.#updates.next();
    const before = identity.of(node);
    const { object, attributes } = before;
    const noted = this.#updates.perform(PRESTO_ITSELF, update, object, attributes, body, () =>
      identity.write(node, { ...before, attributes: update.stamp }),
    );
    must('journal', noted, body.op === Opcode.NOOP ? '' : body.path);
  }
}

function mtimeOf(attr: Attr): Time {
  return { sec: attr.mtimeSec, nsec: attr.mtimeNsec };
}
