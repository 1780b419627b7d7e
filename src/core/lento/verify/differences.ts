import { createHash } from 'node:crypto';
import { formatTime } from '../../journal/index.js';
import { formatObjectId, formatStamp, NO_STAMP, sameStamp } from '../../model/ids.js';
import { displayBytes } from '../../model/names.js';
import type { TreeDigest, XattrDigest } from '../../model/tree-digest.js';
import { S_IFMT, S_IFREG } from '../../system/attr.js';

/** What differs between two trees. `here` and `there`: the values, `absent` where there is none. */
export interface Difference {
  readonly path: string;
  /** name, type, contents, size, mode, owner, mtime, target, device, links, identity, versions, or an xattr's name. */
  readonly what: string;
  readonly here: string;
  readonly there: string;
}

export const ABSENT = 'absent';

const TYPES: Readonly<Record<number, string>> = {
  0o010000: 'fifo',
  0o020000: 'character device',
  0o040000: 'directory',
  0o060000: 'block device',
  0o100000: 'file',
  0o120000: 'symbolic link',
  0o140000: 'socket',
};

const typeOf = ({ mode }: TreeDigest): string => TYPES[mode & S_IFMT] ?? 'unknown';
const hex = (digest: Buffer): string => digest.toString('hex');
const xattrText = (x: XattrDigest | undefined): string =>
  x === undefined ? ABSENT : `${x.bytes} bytes, sha256 ${hex(x.digest)}`;

/** Each side of what is compared, as it is shown. */
const ASPECTS: readonly (readonly [string, (entry: TreeDigest) => string])[] = [
  ['mode', ({ mode }) => `0${(mode & 0o7777).toString(8)}`],
  ['owner', ({ uid, gid }) => `${uid}:${gid}`],
  ['device', ({ rdev }) => String(rdev)],
  ['links', ({ links }) => String(links)],
  ['mtime', ({ mtime }) => formatTime(mtime)],
  ['size', ({ size }) => String(size)],
  ['target', ({ target }) => displayBytes(target)],
  ['contents', ({ digest }) => `sha256 ${hex(digest)}`],
  ['identity', ({ object }) => formatObjectId(object)],
  ['version of the contents', contentVersion],
  ['version of the attributes', ({ attributes }) => formatStamp(attributes)],
];

/** Contents that no CLOSE tells of have no version: a merge may leave each side another stamp of how a directory was made. */
function contentVersion({ mode, content }: TreeDigest): string {
  return (mode & S_IFMT) === S_IFREG ? formatStamp(content) : ABSENT;
}

/** All that differs at a path; `undefined`: nothing stands there. Empty where both are equal. */
export function compareEntries(
  path: string,
  here: TreeDigest | undefined,
  there: TreeDigest | undefined,
): Difference[] {
  const differ = (what: string, a: string, b: string): Difference[] =>
    a === b ? [] : [{ path: path === '' ? '/' : displayBytes(path), what, here: a, there: b }];
  if (here === undefined || there === undefined) {
    const [a, b] = [here, there].map((each) => (each === undefined ? ABSENT : typeOf(each)));
    return differ('name', a ?? ABSENT, b ?? ABSENT);
  }
  if (typeOf(here) !== typeOf(there)) return differ('type', typeOf(here), typeOf(there));
  const names = [...new Set([...here.xattrs, ...there.xattrs].map(({ name }) => name))].sort();
  return [
    ...ASPECTS.flatMap(([what, value]) => differ(what, value(here), value(there))),
    ...names.flatMap((name) => {
      const [a, b] = [here, there].map(({ xattrs }) => xattrs.find((x) => x.name === name));
      return differ(`xattr ${displayBytes(name)}`, xattrText(a), xattrText(b));
    }),
  ];
}

/** A file that is being written has no version: what is in it no record tells of yet. */
export function isBeingWritten(entry: TreeDigest | undefined): boolean {
  if (entry === undefined || (entry.mode & S_IFMT) !== S_IFREG) return false;
  return sameStamp(entry.content, NO_STAMP);
}

/** Two looks at a path have seen the same if and only if these are equal. */
export function fingerprint(entry: TreeDigest | undefined): string {
  if (entry === undefined) return ABSENT;
  const { xattrs, ...rest } = entry;
  const values = [
    ...ASPECTS.map(([, value]) => value(entry)),
    String(rest.mode),
    ...xattrs.flatMap((x) => [x.name, xattrText(x)]),
  ];
  return createHash('sha256').update(values.join('\0')).digest('hex');
}
