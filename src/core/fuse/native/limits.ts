/** What a mount of the native binding does not have, for who mounts. */
export const NATIVE_LIMITS: readonly string[] = [
  'only root may use the mount: fuse-native does not tell who the caller is, so files of others could not be given to them',
  'names and link targets must be UTF-8: others are refused (EILSEQ), and a directory with one cannot be listed',
  'times are in milliseconds and from 1970 on; changing only one of access and modification time does nothing',
  'a file that is removed or replaced while it is open has a name .fuse_hidden... until it is closed, on all replicas; while it is being replaced its own name is missing for a moment',
  'what a program has open is not told of updates of others, and the kernel remembers no names and attributes: it is slower',
  'ACLs are kept but not enforced, and the umask counts also where a directory has a default ACL',
  'an open directory lists what it had when it was first read',
  'no rename flags (EINVAL), O_TMPFILE, fallocate (EOPNOTSUPP) or holes that can be found; reads and writes of 128 KiB at most',
  'a program that waits for the permit cannot be interrupted',
];

/** Kernel caching of names and attributes: none, for nothing that changes elsewhere could be taken back. */
export const CACHE_OPTIONS = ['entry_timeout=0', 'negative_timeout=0', 'attr_timeout=0'];

/** The addon copies both into arrays of 1024 bytes. */
export const STRING_BYTES = 1023;

/** libfuse 2 reads and writes no more at once. */
export const MAX_NATIVE_IO_BYTES = 128 * 1024;

/** How long libfuse's own thread may take to end after the mount is gone. */
export const ENDING_MS = 2_000;
