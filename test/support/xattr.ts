import { checked, declare, Memory } from '../../src/core/system/native.js';

const c = {
  set: declare('int lsetxattr(uint64, uint64, uint64, uint64, int)'),
  get: declare('int64 lgetxattr(uint64, uint64, uint64, uint64)'),
  list: declare('int64 llistxattr(uint64, uint64, uint64)'),
  remove: declare('int lremovexattr(uint64, uint64)'),
};
const path = new Memory(8192);
const attribute = new Memory(512);
const memory = new Memory(70_000);

/**
 * Extended attributes by path, as any user may ask for them: no descriptors and no /proc are needed. Errors are negated
 * errnos.
 */
export function setXattr(file: string, name: string, value: Buffer | string, flags = 0): number {
  const length = Buffer.from(value).copy(memory.buffer);
  const { address } = memory;
  return checked(c.set(path.putString(file), attribute.putString(name), address, length, flags));
}

export function getXattr(file: string, name: string, room = memory.length): Buffer | number {
  const { address } = memory;
  const length = checked(c.get(path.putString(file), attribute.putString(name), address, room));
  return length < 0 ? length : Buffer.from(memory.buffer.subarray(0, length));
}

/** @returns the names, sorted */
export function listXattrs(file: string, room = memory.length): string[] | number {
  const length = checked(c.list(path.putString(file), memory.address, room));
  if (length < 0) return length;
  return memory.buffer.toString('latin1', 0, length).split('\0').slice(0, -1).sort();
}

export function removeXattr(file: string, name: string): number {
  return checked(c.remove(path.putString(file), attribute.putString(name)));
}
