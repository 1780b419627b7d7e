import { O_CLOEXEC, O_NOFOLLOW } from './files.js';
import { checked, declare, Memory } from './native.js';

/**
 * openat2(2) with resolution that cannot leave `root` and follows no link at all: the only way a path that came from
 * a peer reaches the disk.
 */
const SYS_OPENAT2 = 437;
const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;

const path = new Memory(8192);
const how = new Memory(24);
const syscall = declare('int64 syscall(int64, int, uint64, uint64, uint64)');

/** `path` empty opens `root` itself. @returns a descriptor or a negated errno. */
export function openBeneath(root: number, relative: string, flags: number): number {
  how.buffer.writeBigUInt64LE(BigInt(flags | O_CLOEXEC | O_NOFOLLOW), 0);
  how.buffer.writeBigUInt64LE(0n, 8);
  how.buffer.writeBigUInt64LE(
    BigInt(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV),
    16,
  );
  const address = path.putString(relative === '' ? '.' : relative);
  return checked(syscall(SYS_OPENAT2, root, address, how.address, how.length));
}
