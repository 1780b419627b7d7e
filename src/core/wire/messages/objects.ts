import { ROOT_OBJECT, sameObject } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import type { ObjectDescription } from '../../model/object-description.js';
import { Reader, Writer } from '../codec.js';
import { ProtocolError } from '../errors.js';
import { readAddressFrom, writerTo, type Address } from './address.js';

export type { ObjectDescription };

/** OBJECT: all there is to know of what stands at `path`, and its contents. */
export interface ObjectRequest extends Address {
  readonly path: string;
}

export function encodeObjectRequest(request: ObjectRequest): Buffer {
  return writerTo(request).latin1(request.path, LIMITS.pathBytes).finish();
}

export function decodeObjectRequest(payload: Buffer): ObjectRequest {
  const reader = new Reader(payload);
  const request = { ...readAddressFrom(reader), path: reader.latin1(LIMITS.pathBytes) };
  reader.end();
  return request;
}

/** ext4 has room for as many as fit a block; this is more. */
const XATTRS_MAX = 4096;

/** Follows the contents of a file; the whole answer for anything else. */
export function encodeObject(object: ObjectDescription): Buffer {
  const { mode, uid, gid, rdev, mtime, size, checksum, target, xattrs } = object;
  return new Writer()
    .u32(mode)
    .u32(uid)
    .u32(gid)
    .u64(rdev)
    .time(mtime)
    .u64(size)
    .u32(checksum)
    .latin1(target, LIMITS.pathBytes)
    .u48(object.object.replica)
    .u64(object.object.number)
    .u48(object.content.replica)
    .u64(object.content.recno)
    .u48(object.attributes.replica)
    .u64(object.attributes.recno)
    .list(xattrs, XATTRS_MAX, ({ name, value }, writer) =>
      writer.latin1(name, LIMITS.xattrNameBytes).bytes(value, LIMITS.xattrValueBytes),
    )
    .finish();
}

export function decodeObject(payload: Buffer): ObjectDescription {
  const reader = new Reader(payload);
  const object = {
    mode: reader.u32(),
    uid: reader.u32(),
    gid: reader.u32(),
    rdev: reader.u64(),
    mtime: reader.time(),
    size: reader.u64(),
    checksum: reader.u32(),
    target: reader.latin1(LIMITS.pathBytes),
    object: { replica: reader.u48(), number: reader.u64() },
    content: { replica: reader.u48(), recno: reader.u64() },
    attributes: { replica: reader.u48(), recno: reader.u64() },
    xattrs: reader.list(XATTRS_MAX, (each) => {
      const name = each.latin1(LIMITS.xattrNameBytes);
      return { name, value: Buffer.from(each.bytes(LIMITS.xattrValueBytes)) };
    }),
  };
  reader.end();
  if (object.object.replica === 0 && !sameObject(object.object, ROOT_OBJECT))
    throw new ProtocolError('an object without an identity');
  return object;
}
