import { close } from './files.js';
import { checked, declare, Memory } from './native.js';

/** The numbers are the same on every architecture: include/uapi/asm-generic/unistd.h. Linux 5.2 and later. */
const SYS_FSOPEN = 430;
const SYS_FSCONFIG = 431;
const SYS_FSMOUNT = 432;
/** linux/mount.h */
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
const MOUNT_ATTR_NOSUID = 0x02;
const MOUNT_ATTR_NODEV = 0x04;
const MOUNT_ATTR_NOATIME = 0x10;

const STRING_BYTES = 8192;
const strings = new Memory(2 * STRING_BYTES);
const fsopen = declare('int64 syscall(int64, uint64, uint64)');
const fsconfig = declare('int64 syscall(int64, int, uint64, uint64, uint64, int)');
const fsmount = declare('int64 syscall(int64, int, uint64, uint64)');

/**
 * Mounts a block device at no place at all: only who has the descriptor reaches its tree (with openat(2)), and it is
 * unmounted when that and everything opened through it is closed, whatever ends the process. No other mount namespace can
 * get a copy of it. fsopen(2), fsconfig(2), fsmount(2).
 * @returns a descriptor of the root (O_PATH), or a negated errno
 */
export function mountDetached(blockDevice: string, type: string): number {
  const context = checked(fsopen(SYS_FSOPEN, strings.putString(type), FSOPEN_CLOEXEC));
  if (context < 0) return context;
  try {
    const key = strings.putString('source');
    const value = strings.putString(
      Buffer.from(blockDevice, 'utf8').toString('latin1'),
      STRING_BYTES,
    );
    let result = checked(fsconfig(SYS_FSCONFIG, context, FSCONFIG_SET_STRING, key, value, 0));
    if (result >= 0)
      result = checked(fsconfig(SYS_FSCONFIG, context, FSCONFIG_CMD_CREATE, 0, 0, 0));
    if (result < 0) return result;
    const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME;
    return checked(fsmount(SYS_FSMOUNT, context, FSMOUNT_CLOEXEC, attributes));
  } finally {
    close(context);
  }
}
