import { readdirSync } from 'node:fs';
import {
  decodeIdentity,
  IDENTITY_BYTES_MAX,
  IDENTITY_XATTR,
  type Identity,
} from '../cache/identity.js';
import { isReservedAtRoot } from '../model/names.js';
import { Attr } from '../system/attr.js';
import { E, ENODATA, must } from '../system/errno.js';
import { close, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, openat, stat } from '../system/files.js';
import { Memory } from '../system/native.js';
import { getxattrAt } from '../system/xattrs.js';

/** A name in a lower tree, and what it names. `attr` is only good until the next one. */
export interface Found {
  /** As records have it; empty for the root. */
  readonly path: string;
  /** Descriptor of its directory, and its name there; for the root its own, and an empty name. */
  readonly directory: number;
  readonly name: string;
  readonly attr: Attr;
  readonly identity: Identity | undefined;
}

const memory = new Memory(IDENTITY_BYTES_MAX * 2);

/**
 * Visits everything in a lower tree that nobody changes, what is in a directory before the directory itself, so the root
 * last. Goes by descriptors: no path is too long for it. Links are not followed. @throws SystemError
 */
export function walkLower(root: number, visit: (found: Found) => void): void {
  descend(root, '', visit);
  visit(look(root, '', '', new Attr()));
}

function descend(directory: number, path: string, visit: (found: Found) => void): void {
  const attr = new Attr();
  for (const raw of readdirSync(`/proc/self/fd/${directory}`, { encoding: 'buffer' })) {
    const name = raw.toString('latin1');
    if (path === '' && isReservedAtRoot(name)) continue;
    const below = path === '' ? name : `${path}/${name}`;
    const found = look(directory, name, below, attr);
    if (attr.isDirectory) {
      const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
      const fd = must('open', openat(directory, name, flags), below);
      try {
        descend(fd, below, visit);
      } finally {
        close(fd);
      }
      must('statx', stat(directory, name, attr), below);
    }
    visit(found);
  }
}

function look(directory: number, name: string, path: string, attr: Attr): Found {
  must('statx', stat(directory, name, attr), path);
  const length = getxattrAt(directory, name, IDENTITY_XATTR, memory.address, memory.length);
  if (length < 0 && length !== -ENODATA && length !== -E.EOPNOTSUPP) must('getxattr', length, path);
  const identity = length > 0 ? decodeIdentity(memory.buffer, length) : undefined;
  return { path, directory, name, attr, identity };
}
