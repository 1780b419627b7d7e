import { checked, declare, Memory } from './native.js';
import { getxattrat, setxattrat } from './xattr-at.js';

/**
 * Extended attributes. Of an open descriptor, or of `name` in a directory descriptor that may be O_PATH: the latter goes
 * by way of /proc/self/fd where the kernel has nothing better (see xattr-at.ts), and where `name` is empty. Links are not
 * followed.
 */
const path = new Memory(8192);
const attribute = new Memory(512);
const valueMemory = new Memory(65536);

const c = {
  fsetxattr: declare('int fsetxattr(int, uint64, uint64, uint64, int)'),
  fgetxattr: declare('int64 fgetxattr(int, uint64, uint64, uint64)'),
  setxattr: declare('int setxattr(uint64, uint64, uint64, uint64, int)'),
  lsetxattr: declare('int lsetxattr(uint64, uint64, uint64, uint64, int)'),
  getxattr: declare('int64 getxattr(uint64, uint64, uint64, uint64)'),
  lgetxattr: declare('int64 lgetxattr(uint64, uint64, uint64, uint64)'),
  listxattr: declare('int64 listxattr(uint64, uint64, uint64)'),
  llistxattr: declare('int64 llistxattr(uint64, uint64, uint64)'),
  removexattr: declare('int removexattr(uint64, uint64)'),
  lremovexattr: declare('int lremovexattr(uint64, uint64)'),
};

/** The path of `name` in `dirfd`. Of `dirfd` itself where `name` is empty: that one is a link, which must be followed. */
function procPath(dirfd: number, name: string): number {
  return path.putString(`/proc/self/fd/${dirfd}${name === '' ? '' : `/${name}`}`);
}

export function fsetxattr(fd: number, name: string, value: Buffer, flags = 0): number {
  value.copy(valueMemory.buffer);
  return checked(
    c.fsetxattr(fd, attribute.putString(name), valueMemory.address, value.length, flags),
  );
}

/** Puts the value at `address`; a size of 0 asks for the length only. @returns the value's length. */
export function fgetxattr(fd: number, name: string, address: number, size: number): number {
  return checked(c.fgetxattr(fd, attribute.putString(name), address, size));
}

export function setxattrAt(
  dirfd: number,
  file: string,
  name: string,
  value: Buffer,
  flags = 0,
): number {
  value.copy(valueMemory.buffer);
  if (file !== '') {
    const result = setxattrat(dirfd, file, name, valueMemory.address, value.length, flags);
    if (result !== undefined) return result;
  }
  const call = file === '' ? c.setxattr : c.lsetxattr;
  return checked(
    call(
      procPath(dirfd, file),
      attribute.putString(name),
      valueMemory.address,
      value.length,
      flags,
    ),
  );
}

export function getxattrAt(
  dirfd: number,
  file: string,
  name: string,
  address: number,
  size: number,
): number {
  if (file !== '') {
    const result = getxattrat(dirfd, file, name, address, size);
    if (result !== undefined) return result;
  }
  const call = file === '' ? c.getxattr : c.lgetxattr;
  return checked(call(procPath(dirfd, file), attribute.putString(name), address, size));
}

/** Puts the names, each with its NUL, at `address`; a size of 0 asks for the length only. */
export function listxattrAt(dirfd: number, file: string, address: number, size: number): number {
  const call = file === '' ? c.listxattr : c.llistxattr;
  return checked(call(procPath(dirfd, file), address, size));
}

export function removexattrAt(dirfd: number, file: string, name: string): number {
  const call = file === '' ? c.removexattr : c.lremovexattr;
  return checked(call(procPath(dirfd, file), attribute.putString(name)));
}
