import type { Identity } from '../../cache/identity.js';
import { IDENTITY_XATTR } from '../../cache/identity.js';
import { NO_STAMP } from '../../model/ids.js';
import type { CloseBody } from '../../model/records.js';
import { Attr } from '../../system/attr.js';
import { E, ESTALE } from '../../system/errno.js';
import {
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_RDWR,
  UTIME_OMIT,
  close,
  copyFileRange,
  fchmod,
  fchownat,
  freeBytes,
  ftruncate,
  futimens,
  openat,
  pwrite,
  renameat2,
  stat,
  unlinkat,
} from '../../system/files.js';
import { generationOf } from '../../system/handles.js';
import { Memory } from '../../system/native.js';
import { getxattrAt, listxattrAt, setxattrAt } from '../../system/xattrs.js';
import { IdentityStore } from '../tree/identity-store.js';
import type { LowerTree } from '../tree/lower-tree.js';
import type { Node } from '../tree/node.js';
import type { Patches } from './patches.js';
import type { Contents } from './peer-contents.js';

/** A file ready to be put in place: the lower file that will hold the contents. */
export interface Placing {
  readonly fd: number;
  /** In the stage directory, to be renamed over the target; undefined where the target itself is written. */
  readonly staged: string | undefined;
  readonly ino: number;
  readonly generation: number;
  /** There is nothing in it that could be taken for a version. */
  readonly empty: boolean;
}

/** The unit of st_blocks, whatever the file system has. */
const BLOCK_BYTES = 512;
/** What a file takes besides its contents: some blocks, and with ext3 4 bytes for each of them. */
const ROOM_BYTES = 64 * 1024;
const POINTERS = 128;

const COPY_BYTES = 64 * 1024 * 1024;

/**
 * Puts contents that a peer sent in place, so that no reader ever sees a part of them. An old version is replaced as a
 * whole by renaming: who has it open goes on reading it. What cannot be replaced is written in one turn of the event
 * loop: a new, empty file; one with several names; one that somebody here has open for writing.
 */
export class Placement {
  readonly #attr = new Attr();
  readonly #memory = new Memory(1024 * 1024);

  constructor(
    private readonly tree: LowerTree,
    /** Descriptor of `.intermezzo/<fileset>/stage`. */
    private readonly stageFd: number,
    private readonly patches: Patches,
  ) {}

  /** Chooses the lower file and, where that is a new one, fills it. @returns a negated errno where that fails. */
  prepare(node: Node, contents: Contents, stageName: string): Placing | number {
    const result = this.tree.stat(node, this.#attr);
    if (result < 0) return result;
    if (!this.#attr.isRegular) return -E.EINVAL;
    if (contents.kind === 'present') return -ESTALE;
    const inPlace =
      contents.kind === 'patch' ||
      this.#attr.nlink > 1 ||
      node.writers > 0 ||
      (this.#attr.size === 0 && contents.kind === 'inline');
    if (inPlace && !this.#hasRoom(contents)) return -E.ENOSPC;
    const fd = inPlace
      ? this.tree.open(node, O_RDWR)
      : contents.kind === 'staged'
        ? openat(this.stageFd, contents.name, O_RDWR | O_NOFOLLOW)
        : this.#stage(contents.data, stageName);
    if (fd < 0) return fd;
    const staged = inPlace ? undefined : contents.kind === 'staged' ? contents.name : stageName;
    if (staged !== undefined) {
      const dressed = this.#dress(node, fd);
      if (dressed < 0) {
        close(fd);
        return dressed;
      }
    }
    const own = stat(fd, '', this.#attr);
    if (own < 0) {
      close(fd);
      return own;
    }
    const { ino, size } = this.#attr;
    return { fd, staged, ino, generation: Math.max(0, generationOf(fd)), empty: size === 0 };
  }

  /**
   * Whether the file that was looked at last can be filled: what there turned out to be no room for in the middle would be
   * seen half. A patch is a matter of its own. The blocks that the file has are used again, if it has all of them.
   */
  #hasRoom(contents: Contents): boolean {
    if (contents.kind === 'present' || contents.kind === 'patch') return true;
    const { size, blocks } = this.#attr;
    const has = blocks * BLOCK_BYTES >= size ? size : 0;
    let needs = contents.kind === 'inline' ? contents.data.length : 0;
    if (contents.kind === 'staged') {
      const result = stat(this.stageFd, contents.name, this.#attr);
      // Opening it will tell.
      if (result < 0) return true;
      // Holes are filled by the copy.
      needs = this.#attr.size;
    }
    if (needs <= has) return true;
    return freeBytes(this.stageFd) >= needs - has + ROOM_BYTES + needs / POINTERS;
  }

  /** A small file's new version, written aside. */
  #stage(data: Buffer, name: string): number {
    unlinkat(this.stageFd, name);
    const fd = openat(this.stageFd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    if (fd < 0) return fd;
    const result = this.#writeAll(fd, data);
    if (result >= 0) return fd;
    close(fd);
    unlinkat(this.stageFd, name);
    return result;
  }

  /** The new version gets what the old one has besides its contents: owner, and extended attributes with the ACLs. */
  #dress(node: Node, fd: number): number {
    const owner = fchownat(fd, '', this.#attr.uid, this.#attr.gid);
    if (owner < 0) return owner;
    const { table } = this.tree;
    const memory = this.#memory;
    let at = table.locate(node);
    const length = at.fd < 0 ? at.fd : listxattrAt(at.fd, at.name, memory.address, memory.length);
    if (length < 0) return length;
    for (const name of memory.buffer.toString('latin1', 0, length).split('\0')) {
      if (name === '' || name === IDENTITY_XATTR) continue;
      at = table.locate(node);
      const size = getxattrAt(at.fd, at.name, name, memory.address, memory.length);
      if (size < 0) return size;
      const result = setxattrAt(fd, '', name, Buffer.from(memory.buffer.subarray(0, size)));
      if (result < 0) return result;
    }
    return 0;
  }

  /** Puts the contents in place. The node is gone from its name afterwards where it was replaced. */
  commit(
    node: Node,
    placing: Placing,
    contents: Contents,
    body: CloseBody,
    identity: Identity,
  ): number {
    const { fd } = placing;
    let result = placing.staged === undefined ? this.#change(node, placing, contents) : 0;
    if (result >= 0) result = ftruncate(fd, body.size);
    if (result >= 0) result = fchmod(fd, body.mode & 0o7777);
    if (result >= 0) result = futimens(fd, 0, UTIME_OMIT, body.mtime.sec, body.mtime.nsec);
    if (result < 0) return result;
    if (placing.staged === undefined) {
      node.unseen?.settle();
      return this.tree.identity.write(node, identity, fd);
    }
    result = IdentityStore.writeTo(fd, identity);
    return result < 0 ? result : this.#replace(node, placing.staged);
  }

  #replace(node: Node, staged: string): number {
    const { parent, name } = node;
    if (parent === undefined) return -E.ENOENT;
    const { table } = this.tree;
    const directory = table.directoryFd(parent);
    if (directory < 0) return directory;
    let result = table.pin(node);
    if (result >= 0) result = stat(directory, '', this.#attr);
    if (result >= 0) result = renameat2(this.stageFd, staged, directory, name);
    if (result < 0) return result;
    // The directory's time is not the business of a CLOSE: it stays what the record of its last entry made it.
    futimens(directory, 0, UTIME_OMIT, this.#attr.mtimeSec, this.#attr.mtimeNsec);
    node.replaced = true;
    table.detach(parent, name);
    return 0;
  }

  /** Who reads the file meanwhile to send it must not take it for its old version. */
  #change(node: Node, { fd, empty }: Placing, contents: Contents): number {
    const { identity } = this.tree;
    const disowned = { ...identity.of(node), content: NO_STAMP };
    const result = empty ? 0 : identity.write(node, disowned, fd);
    return result < 0 ? result : this.#fill(node, fd, contents);
  }

  #fill(node: Node, fd: number, contents: Contents): number {
    if (contents.kind === 'present') return -E.EINVAL;
    if (contents.kind === 'inline') return this.#writeAll(fd, contents.data);
    if (contents.kind === 'patch') {
      this.patches.placed(node, contents);
      return contents.apply();
    }
    const from = openat(this.stageFd, contents.name, O_RDWR | O_NOFOLLOW);
    if (from < 0) return from;
    let offset = 0;
    let count: number;
    do {
      count = copyFileRange(from, offset, fd, offset, COPY_BYTES);
      offset += Math.max(count, 0);
    } while (count > 0);
    close(from);
    if (count >= 0) unlinkat(this.stageFd, contents.name);
    return count;
  }

  #writeAll(fd: number, data: Buffer): number {
    const memory = this.#memory;
    for (let done = 0; done < data.length;) {
      const size = data.copy(memory.buffer, 0, done, Math.min(data.length, done + memory.length));
      const count = pwrite(fd, memory.address, size, done);
      if (count < 0) return count;
      done += count;
    }
    return 0;
  }
}
