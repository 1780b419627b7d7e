/** A device number in the kernel's 32 bits: new_encode_dev() of linux/kdev_t.h. */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** The same the other way round, and of what stat(2) tells as `dev` and `rdev`. */
export function decodeDevice(device: number): { major: number; minor: number } {
  return {
    major: (device >> 8) & 0xfff,
    minor: (device & 0xff) | ((device >> 12) & 0xfff00),
  };
}
