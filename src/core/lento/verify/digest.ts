import { createHash } from 'node:crypto';
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { LIMITS } from '../../model/limits.js';
import type { TreeDigest, XattrDigest } from '../../model/tree-digest.js';
import { S_IFDIR, S_IFMT, S_IFREG } from '../../system/attr.js';
import { openBeneath } from '../../system/beneath.js';
import { close, O_NONBLOCK, O_RDONLY } from '../../system/files.js';
import type { LowerObject } from '../merging/lower-object.js';
import type { Walked } from './walk.js';

const NONE = Buffer.alloc(0);
const readAt = promisify(read);

/** @param fast leave the contents alone. @returns undefined where the file is gone */
export async function digestOf(
  lowerFd: number,
  { path, object }: Walked,
  fast: boolean,
): Promise<TreeDigest | undefined> {
  const type = object.mode & S_IFMT;
  const digest = fast || type !== S_IFREG ? NONE : await digestContents(lowerFd, path);
  if (digest === undefined) return undefined;
  const { mode, uid, gid, rdev, mtime, size, target, content, attributes } = object;
  return {
    ...{ path, mode, uid, gid, rdev, mtime, size, target, digest, content, attributes },
    object: object.object,
    links: type === S_IFDIR ? 1 : object.links,
    xattrs: xattrsOf(object),
  };
}

function xattrsOf({ xattrs }: LowerObject): XattrDigest[] {
  return xattrs
    .map(({ name, value }) => ({
      name,
      bytes: value.length,
      digest: createHash('sha256').update(value).digest(),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Reads in other threads: a file of any size keeps nothing else waiting. */
async function digestContents(lowerFd: number, path: string): Promise<Buffer | undefined> {
  // Something else may stand there by now, which must not keep us waiting.
  const fd = openBeneath(lowerFd, path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) return undefined;
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(LIMITS.chunkBytes);
  try {
    for (let at = 0; ;) {
      const { bytesRead } = await readAt(fd, chunk, 0, chunk.length, at);
      if (bytesRead === 0) return hash.digest();
      hash.update(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    close(fd);
  }
}
