import {
  newOpened,
  SetattrValid,
  type AttrChange,
  type FuseOperations,
} from '../../src/core/fuse/port.js';
import { Attr } from '../../src/core/system/attr.js';
import { must } from '../../src/core/system/errno.js';
import { O_RDWR, O_TRUNC } from '../../src/core/system/files.js';
import { Memory } from '../../src/core/system/native.js';
import { ACCESS, DEFAULT, encodeAcl } from './acl.js';
import { newEntry, ROOT } from './torn-presto.js';

const bytes = new Memory(100);
const NO_CHANGE: AttrChange = {
  ...{ valid: 0, handle: 0, mode: 0, uid: 0, gid: 0, size: 0 },
  ...{ atimeSec: 0, atimeNsec: 0, mtimeSec: 0, mtimeNsec: 0 },
};

/** Operations by name instead of by node, in a directory of one test. */
export class Names {
  constructor(
    readonly operations: FuseOperations,
    readonly directory: number,
  ) {}

  node(name: string, directory = this.directory): number {
    const entry = newEntry();
    must('lookup', this.operations.lookup(directory, name, entry), name);
    return entry.node;
  }

  mkdir(name: string): void {
    must('mkdir', this.operations.mkdir(ROOT, this.directory, name, 0o755, 0, newEntry()), name);
  }

  create(name: string): number {
    const opened = newOpened();
    const { operations, directory } = this;
    const entry = newEntry();
    must('create', operations.create(ROOT, directory, name, 0o640, 0, O_RDWR, entry, opened), name);
    return opened.handle;
  }

  write(name: string, handle: number): void {
    const { operations } = this;
    const node = this.node(name);
    const { address } = bytes;
    must('write', operations.write(ROOT, node, handle, 0, 100, address, false, false), name);
  }

  open(name: string, flags: number): number {
    const opened = newOpened();
    must('open', this.operations.open(ROOT, this.node(name), flags, opened), name);
    return opened.handle;
  }

  close(name: string, handle: number): void {
    must('flush', this.operations.flush(ROOT, this.node(name), handle), name);
    this.operations.release(ROOT, this.node(name), handle);
  }

  rename(from: string, directory: number, to: string, flags = 0): void {
    const { operations } = this;
    must('rename', operations.rename(ROOT, this.directory, from, directory, to, flags), from);
  }

  setxattr(name: string, attribute: string, value: Buffer): void {
    const result = this.operations.setxattr(ROOT, this.node(name), attribute, value, 0);
    must('setxattr', result, name);
  }

  change(name: string, change: Partial<AttrChange>): void {
    const whole = { ...NO_CHANGE, ...change };
    must('setattr', this.operations.setattr(ROOT, this.node(name), whole, new Attr()), name);
  }
}

/** What is there before each operation. */
export function prepare(names: Names): void {
  for (const name of ['f', 'g']) {
    const handle = names.create(name);
    names.write(name, handle);
    names.close(name, handle);
  }
  names.mkdir('d');
  names.mkdir('e');
  names.setxattr('f', 'user.a', Buffer.from('1'));
  names.setxattr('g', ACCESS, encodeAcl(ACL));
  names.setxattr('e', DEFAULT, encodeAcl(ACL));
}

const ACL = 'u::rwx,u:7:rwx,g::r-x,m::rwx,o::--x';
const OTHER_ACL = 'u::rw-,g::r-x,g:8:r--,m::r--,o::---';

export const OPERATIONS: Record<string, (names: Names, operations: FuseOperations) => void> = {
  create: (names) => names.create('new'),
  'create, write and close': (names) => {
    const handle = names.create('new');
    names.write('new', handle);
    names.close('new', handle);
  },
  mkdir: (names) => {
    names.mkdir('new');
  },
  mkfifo: ({ directory }, operations) => {
    must('mknod', operations.mknod(ROOT, directory, 'new', 0o010644, 0, 0, newEntry()));
  },
  'mknod of a file': ({ directory }, operations) => {
    must('mknod', operations.mknod(ROOT, directory, 'new', 0o100644, 0, 0, newEntry()));
  },
  symlink: ({ directory }, operations) => {
    must('symlink', operations.symlink(ROOT, directory, 'new', 'target', newEntry()));
  },
  link: (names, operations) => {
    must('link', operations.link(ROOT, names.node('f'), names.node('d'), 'new', newEntry()));
  },
  'link of a file made without a name': ({ directory }, operations) => {
    const [entry, opened] = [newEntry(), newOpened()];
    must('tmpfile', operations.tmpfile(ROOT, directory, 0o640, 0, O_RDWR, entry, opened));
    const { node } = entry;
    const { handle } = opened;
    must('write', operations.write(ROOT, node, handle, 0, 100, bytes.address, false, false));
    must('setxattr', operations.setxattr(ROOT, node, 'user.a', Buffer.from('1'), 0));
    must('link', operations.link(ROOT, node, directory, 'new', newEntry()));
    operations.release(ROOT, node, handle);
  },
  'link of a file made without a name under a default ACL': (names, operations) => {
    for (const [from, to] of [
      [names.directory, names.node('e')],
      [names.node('e'), names.directory],
    ] as const) {
      const [entry, opened] = [newEntry(), newOpened()];
      must('tmpfile', operations.tmpfile(ROOT, from, 0o646, 0o27, O_RDWR, entry, opened));
      must('link', operations.link(ROOT, entry.node, to, 'new', newEntry()));
      operations.release(ROOT, entry.node, opened.handle);
    }
  },
  unlink: ({ directory }, operations) => {
    must('unlink', operations.unlink(ROOT, directory, 'f'));
  },
  'unlink of a file being written': (names, operations) => {
    names.write('f', names.open('f', O_RDWR));
    must('unlink', operations.unlink(ROOT, names.directory, 'f'));
  },
  rmdir: ({ directory }, operations) => {
    must('rmdir', operations.rmdir(ROOT, directory, 'd'));
  },
  'rename to a new name': (names) => {
    names.rename('f', names.node('d'), 'new');
  },
  'rename over a file': (names) => {
    names.rename('f', names.directory, 'g');
  },
  'rename of a directory into another': (names) => {
    names.rename('d', names.node('e'), 'new');
  },
  'rename of a directory over another': (names) => {
    names.rename('d', names.directory, 'e');
  },
  'rename that exchanges': (names) => {
    names.rename('f', names.directory, 'd', 2);
  },
  'rename of a file being written': (names) => {
    names.write('f', names.open('f', O_RDWR));
    names.rename('f', names.node('d'), 'new');
  },
  chmod: (names) => {
    names.change('f', { valid: SetattrValid.mode, mode: 0o4711 });
  },
  'chown and utimes': (names) => {
    const { uid, gid, mtime } = SetattrValid;
    names.change('d', { valid: uid | gid | mtime, uid: 12, gid: 13, mtimeSec: 5, mtimeNsec: 6 });
  },
  setxattr: (names) => {
    names.setxattr('f', 'user.a', Buffer.from('2'));
  },
  removexattr: (names, operations) => {
    must('removexattr', operations.removexattr(ROOT, names.node('f'), 'user.a'));
  },
  'create under a default ACL': (names, operations) => {
    const [entry, opened] = [newEntry(), newOpened()];
    const e = names.node('e');
    must('create', operations.create(ROOT, e, 'new', 0o4667, 0o77, O_RDWR, entry, opened));
  },
  'mkdir under a default ACL': (names, operations) => {
    must('mkdir', operations.mkdir(ROOT, names.node('e'), 'new', 0o1752, 0o77, newEntry()));
  },
  'mkfifo under a default ACL': (names, operations) => {
    must('mknod', operations.mknod(ROOT, names.node('e'), 'new', 0o010624, 0o77, 0, newEntry()));
  },
  'chmod of what has an ACL': (names) => {
    names.change('g', { valid: SetattrValid.mode, mode: 0o2604 });
  },
  'setxattr of an ACL': (names) => {
    names.setxattr('f', ACCESS, encodeAcl(OTHER_ACL));
  },
  'write to what has an ACL': (names) => {
    const handle = names.open('g', O_RDWR);
    names.write('g', handle);
    names.close('g', handle);
  },
  'write to what has capabilities': (names) => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    names.setxattr('f', 'security.capability', capability);
    const handle = names.open('f', O_RDWR);
    names.write('f', handle);
    names.close('f', handle);
  },
  'write to a file that is there': (names) => {
    const handle = names.open('f', O_RDWR);
    names.write('f', handle);
    names.close('f', handle);
  },
  truncate: (names) => {
    names.change('f', { valid: SetattrValid.size, size: 7 });
  },
  'open with O_TRUNC': (names) => {
    names.close('f', names.open('f', O_RDWR | O_TRUNC));
  },
};
