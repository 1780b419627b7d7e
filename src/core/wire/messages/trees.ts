import type { ObjectId, Recno } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { isValidPath } from '../../model/names.js';
import type { TreeEntry } from '../../model/object-description.js';
import { Reader, Writer } from '../codec.js';
import { ProtocolError } from '../errors.js';
import { readAddressFrom, writerTo, type Address } from './address.js';
import { decodeObject } from './objects.js';

/** An entry of a tree, and the contents where they come along. */
export interface TreeItem {
  readonly entry: TreeEntry;
  readonly contents: Buffer | undefined;
}

const OBJECT_BYTES = 8 * 1024 * 1024;

/**
 * WALK and CONTENTS are answered by these, one behind the other, each with its length (u32) in front.
 * @param object what `encodeObject` makes of the entry
 */
export function encodeTreeItem(path: string, object: Buffer, contents: Buffer | undefined): Buffer {
  return new Writer()
    .latin1(path, LIMITS.pathBytes)
    .bytes(object, OBJECT_BYTES)
    .bool(contents !== undefined)
    .bytes(contents ?? Buffer.alloc(0), LIMITS.inlineContentBytes)
    .finish();
}

/** The longest one. */
export const TREE_ITEM_BYTES = OBJECT_BYTES + LIMITS.pathBytes + LIMITS.inlineContentBytes + 64;

/** @param bytes without the length */
export function decodeTreeItem(bytes: Buffer): TreeItem {
  const reader = new Reader(bytes);
  const path = reader.latin1(LIMITS.pathBytes);
  if (!isValidPath(path, true)) throw new ProtocolError('an impossible path');
  const entry = { path, ...decodeObject(reader.bytes(OBJECT_BYTES)) };
  const comes = reader.bool();
  const contents = reader.bytes(LIMITS.inlineContentBytes);
  reader.end();
  return { entry, contents: comes ? Buffer.from(contents) : undefined };
}

/** CONTENTS: what small files at these paths have in them. */
export interface ContentsRequest extends Address {
  readonly paths: readonly string[];
}

export function encodeContentsRequest(request: ContentsRequest): Buffer {
  return writerTo(request)
    .list(request.paths, LIMITS.contentsPaths, (path, writer) =>
      writer.latin1(path, LIMITS.pathBytes),
    )
    .finish();
}

export function decodeContentsRequest(payload: Buffer): ContentsRequest {
  const reader = new Reader(payload);
  const request = {
    ...readAddressFrom(reader),
    paths: reader.list(LIMITS.contentsPaths, (each) => each.latin1(LIMITS.pathBytes)),
  };
  reader.end();
  return request;
}

/** WALK: the tree, or what of it may be another since a record of the server's log. */
export interface WalkRequest extends Address {
  /** 0: all of it. */
  readonly since: Recno;
}

export function encodeWalkRequest(request: WalkRequest): Buffer {
  return writerTo(request).u64(request.since).finish();
}

export function decodeWalkRequest(payload: Buffer): WalkRequest {
  const reader = new Reader(payload);
  const request = { ...readAddressFrom(reader), since: reader.u64() };
  reader.end();
  return request;
}

/** Follows the last entry of a walk. */
export interface WalkTrailer {
  /** The last record of the log when the walk began, and its checksum. */
  readonly recno: Recno;
  readonly checksum: number;
  /** Nothing was logged while it lasted: the entries are the tree as that record left it. */
  readonly still: boolean;
  /** What the entries take the place of, and the objects that have changed; undefined: they are the whole tree. */
  readonly touched: WalkTouched | undefined;
}

export interface WalkTouched {
  readonly deep: readonly string[];
  readonly objects: readonly ObjectId[];
}

export function encodeWalkTrailer({ recno, checksum, still, touched }: WalkTrailer): Buffer {
  return new Writer()
    .u64(recno)
    .u32(checksum)
    .bool(still)
    .bool(touched === undefined)
    .list(touched?.deep ?? [], LIMITS.resyncTouched, (path, writer) =>
      writer.latin1(path, LIMITS.pathBytes),
    )
    .list(touched?.objects ?? [], LIMITS.resyncTouched, (object, writer) =>
      writer.u48(object.replica).u64(object.number),
    )
    .finish();
}

export function decodeWalkTrailer(payload: Buffer): WalkTrailer {
  const reader = new Reader(payload);
  const trailer = { recno: reader.u64(), checksum: reader.u32(), still: reader.bool() };
  const isWhole = reader.bool();
  const deep = reader.list(LIMITS.resyncTouched, (each) => each.latin1(LIMITS.pathBytes));
  const objects = reader.list(LIMITS.resyncTouched, (each) => ({
    replica: each.u48(),
    number: each.u64(),
  }));
  reader.end();
  return { ...trailer, touched: isWhole ? undefined : { deep, objects } };
}
