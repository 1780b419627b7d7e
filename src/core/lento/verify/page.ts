import type { TreeDigest } from '../../model/tree-digest.js';
import { DIGEST_PAGE, digestBytes } from '../../wire/messages.js';
import { digestOf } from './digest.js';
import { walkTree } from './walk.js';

export interface PageRequest {
  readonly path: string;
  readonly after: string | undefined;
  /** Nothing behind this path is wanted; undefined: all. */
  readonly upto?: string | undefined;
  readonly single: boolean;
  readonly fast: boolean;
}

export interface Page {
  readonly entries: readonly TreeDigest[];
  /** There is nothing behind the last entry, or nothing that is wanted. */
  readonly last: boolean;
}

/** A page ends with the entry that takes it beyond this. */
const PAGE_MS = 500;
/** The event loop gets its turn so often. */
const TURN_MS = 5;

/** @param goesOn asked between entries: false where nobody wants the page any more */
export async function digestPage(
  lowerFd: number,
  request: PageRequest,
  isBeyond: (path: string) => boolean = () => false,
  goesOn: () => boolean = () => true,
): Promise<Page> {
  const { path, after, single, fast } = request;
  const entries: TreeDigest[] = [];
  const begin = performance.now();
  let turn = begin;
  let bytes = 0;
  for await (const walked of walkTree(lowerFd, path, after)) {
    if (isBeyond(walked.path)) return { entries, last: true };
    const entry = await digestOf(lowerFd, walked, fast);
    if (entry !== undefined) {
      entries.push(entry);
      bytes += digestBytes(entry);
    }
    if (single) return { entries, last: true };
    if (!goesOn()) break;
    const now = performance.now();
    const full = entries.length >= DIGEST_PAGE.entries || bytes >= DIGEST_PAGE.bytes;
    if (entries.length > 0 && (full || now - begin > PAGE_MS)) return { entries, last: false };
    if (now - turn > TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      turn = performance.now();
    }
  }
  return { entries, last: true };
}
