import { checked, declare, Memory } from './native.js';

/** The ioctls of /dev/fuse that name lower files for the kernel to pass open files through to; linux/fuse.h, fuse-passthrough. */

/** _IOW(229, 1, struct fuse_backing_map) and _IOW(229, 2, u32), as x86 and arm encode them. */
const FUSE_DEV_IOC_BACKING_OPEN = 0x4010e501;
const FUSE_DEV_IOC_BACKING_CLOSE = 0x4004e502;

/** struct fuse_backing_map: s32 fd, u32 flags, u64 padding. */
const map = new Memory(16);

const c = { ioctl: declare('int ioctl(int, uint64, uint64)') };

/** @returns the kernel's number for the file, above 0, or a negated errno. */
export function openBacking(device: number, fd: number): number {
  map.buffer.fill(0);
  map.buffer.writeInt32LE(fd, 0);
  return checked(c.ioctl(device, FUSE_DEV_IOC_BACKING_OPEN, map.address));
}

export function closeBacking(device: number, backing: number): number {
  map.buffer.writeUInt32LE(backing, 0);
  return checked(c.ioctl(device, FUSE_DEV_IOC_BACKING_CLOSE, map.address));
}
