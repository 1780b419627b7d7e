import { E } from './errno.js';
import { checked, declare, Memory } from './native.js';

/**
 * setxattrat(2) and getxattrat(2), of Linux 6.13: extended attributes of a name in a directory, without the detour by
 * /proc/self/fd, which costs several microseconds. The C library does not have them yet. Their numbers are the same on all
 * architectures. Links are not followed.
 */
const SETXATTRAT = 463;
const GETXATTRAT = 464;
const AT_SYMLINK_NOFOLLOW = 0x100;

const syscall = declare('int64 syscall(int64, int64, uint64, uint64, uint64, uint64, uint64)');
const fileName = new Memory(8192);
const attributeName = new Memory(512);

/** struct xattr_args: u64 value, u32 size, u32 flags. */
const ARGS_BYTES = 16;
const args = new Memory(ARGS_BYTES);
const words = new Uint32Array(args.buffer.buffer);
const TWO32 = 2 ** 32;

/** Undefined until the kernel was asked for the first time. */
let isThere: boolean | undefined;

function call(
  number: number,
  directory: number,
  file: string,
  attribute: string,
  address: number,
  size: number,
  flags: number,
): number | undefined {
  if (isThere === false) return undefined;
  words[0] = address % TWO32;
  words[1] = Math.floor(address / TWO32);
  words[2] = size;
  words[3] = flags;
  const name = attributeName.putString(attribute);
  const at = fileName.putString(file);
  const result = checked(
    syscall(number, directory, at, AT_SYMLINK_NOFOLLOW, name, args.address, ARGS_BYTES),
  );
  if (isThere === undefined) isThere = result !== -E.ENOSYS;
  return isThere ? result : undefined;
}

/** @returns 0 or a negated errno; undefined where this kernel cannot do it. `file` must not be empty. */
export function setxattrat(
  directory: number,
  file: string,
  attribute: string,
  address: number,
  size: number,
  flags: number,
): number | undefined {
  return call(SETXATTRAT, directory, file, attribute, address, size, flags);
}

/** @returns the value's length or a negated errno; undefined where this kernel cannot do it. `file` must not be empty. */
export function getxattrat(
  directory: number,
  file: string,
  attribute: string,
  address: number,
  size: number,
): number | undefined {
  return call(GETXATTRAT, directory, file, attribute, address, size, 0);
}
