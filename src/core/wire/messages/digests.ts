import { LIMITS } from '../../model/limits.js';
import type { Recno } from '../../model/ids.js';
import type { TreeDigest } from '../../model/tree-digest.js';
import { Reader, Writer } from '../codec.js';
import { ProtocolError } from '../errors.js';
import { readAddressFrom, writerTo, type Address } from './address.js';

/** What one page of digests holds, at most: it ends with the first entry that reaches one of these. */
export const DIGEST_PAGE = {
  entries: 4096,
  /** Of the encoded page. One more entry, with as many attributes as it may have, still fits a packet. */
  bytes: 256 * 1024,
} as const;

/** ext4 has room for some two hundred. */
const XATTRS_MAX = 1024;
const DIGEST_BYTES = 32;

/** DIGEST: what stands at `path` and, unless it is `single`, below it, in the order of `treeOrder`. */
export interface DigestRequest extends Address {
  /** Whose tree: the host that is asked, or one of its replicators, which it asks in turn. */
  readonly host: string;
  readonly path: string;
  /** Only what comes after this path; undefined: from the beginning. */
  readonly after: string | undefined;
  readonly single: boolean;
  /** No digests of contents: nothing but metadata is read. */
  readonly fast: boolean;
}

export function encodeDigestRequest(request: DigestRequest): Buffer {
  const { host, path, after, single, fast } = request;
  return writerTo(request)
    .latin1(host, LIMITS.sysidNameBytes)
    .latin1(path, LIMITS.pathBytes)
    .bool(after !== undefined)
    .latin1(after ?? '', LIMITS.pathBytes)
    .bool(single)
    .bool(fast)
    .finish();
}

export function decodeDigestRequest(payload: Buffer): DigestRequest {
  const reader = new Reader(payload);
  const address = readAddressFrom(reader);
  const host = reader.latin1(LIMITS.sysidNameBytes);
  const path = reader.latin1(LIMITS.pathBytes);
  const hasAfter = reader.bool();
  const last = reader.latin1(LIMITS.pathBytes);
  const flags = { single: reader.bool(), fast: reader.bool() };
  reader.end();
  return { ...address, host, path, after: hasAfter ? last : undefined, ...flags };
}

export interface DigestPage {
  /**
   * A record of the answering host's log: who has applied all up to it has everything that the page shows, as far as that
   * is journaled.
   */
  readonly end: Recno;
  /** There is nothing behind the last entry. */
  readonly last: boolean;
  readonly entries: readonly TreeDigest[];
}

export function encodeDigestPage({ end, last, entries }: DigestPage): Buffer {
  return new Writer(DIGEST_PAGE.bytes)
    .u64(end)
    .bool(last)
    .list(entries, DIGEST_PAGE.entries, (entry, writer) => putEntry(writer, entry))
    .finish();
}

export function decodeDigestPage(payload: Buffer): DigestPage {
  const reader = new Reader(payload);
  const page = {
    end: reader.u64(),
    last: reader.bool(),
    entries: reader.list(DIGEST_PAGE.entries, readEntry),
  };
  reader.end();
  if (!page.last && page.entries.length === 0) throw new ProtocolError('an empty page of digests');
  return page;
}

/** About what an entry takes of a page. */
export function digestBytes({ path, target, xattrs }: TreeDigest): number {
  return 180 + path.length + target.length + xattrs.reduce((n, x) => n + x.name.length + 40, 0);
}

function putEntry(writer: Writer, entry: TreeDigest): void {
  const { path, mode, uid, gid, rdev, links, mtime, size, target, object } = entry;
  writer
    .latin1(path, LIMITS.pathBytes)
    .u32(mode)
    .u32(uid)
    .u32(gid)
    .u64(rdev)
    .u32(links)
    .time(mtime)
    .u64(size)
    .latin1(target, LIMITS.pathBytes)
    .bytes(entry.digest, DIGEST_BYTES)
    .u48(object.replica)
    .u64(object.number)
    .u48(entry.content.replica)
    .u64(entry.content.recno)
    .u48(entry.attributes.replica)
    .u64(entry.attributes.recno)
    .list(entry.xattrs, XATTRS_MAX, ({ name, bytes, digest }, each) =>
      each.latin1(name, LIMITS.xattrNameBytes).u32(bytes).bytes(digest, DIGEST_BYTES),
    );
}

function readEntry(reader: Reader): TreeDigest {
  return {
    path: reader.latin1(LIMITS.pathBytes),
    mode: reader.u32(),
    uid: reader.u32(),
    gid: reader.u32(),
    rdev: reader.u64(),
    links: reader.u32(),
    mtime: reader.time(),
    size: reader.u64(),
    target: reader.latin1(LIMITS.pathBytes),
    digest: Buffer.from(reader.bytes(DIGEST_BYTES)),
    object: { replica: reader.u48(), number: reader.u64() },
    content: { replica: reader.u48(), recno: reader.u64() },
    attributes: { replica: reader.u48(), recno: reader.u64() },
    xattrs: reader.list(XATTRS_MAX, (each) => ({
      name: each.latin1(LIMITS.xattrNameBytes),
      bytes: each.u32(),
      digest: Buffer.from(each.bytes(DIGEST_BYTES)),
    })),
  };
}
