/**
 * The kernel's FUSE protocol, version 7, as uapi linux/fuse.h defines it: numbers, flags, and where the fields of its
 * structs are. Offsets are bytes from the beginning of the struct; all integers have the host's order.
 */

export const FUSE_KERNEL_VERSION = 7;
/** The version spoken here. */
export const FUSE_KERNEL_MINOR_VERSION = 40;
/** Linux 5.4: the first with everything that is relied upon. */
export const OLDEST_MINOR_VERSION = 31;

/** enum fuse_opcode, as far as it is answered with anything but ENOSYS. */
export const FuseOpcode = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  IOCTL: 39,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SYNCFS: 50,
  TMPFILE: 51,
} as const;

/** enum fuse_notify_code. */
export const FuseNotify = { INVAL_INODE: 2, INVAL_ENTRY: 3 } as const;

/** INIT flags: what kernel and server agree on. */
export const InitFlag = {
  ASYNC_READ: 1 << 0,
  ATOMIC_O_TRUNC: 1 << 3,
  BIG_WRITES: 1 << 5,
  DONT_MASK: 1 << 6,
  DO_READDIRPLUS: 1 << 13,
  READDIRPLUS_AUTO: 1 << 14,
  PARALLEL_DIROPS: 1 << 18,
  POSIX_ACL: 1 << 20,
  MAX_PAGES: 1 << 22,
  CACHE_SYMLINKS: 1 << 23,
  EXPLICIT_INVAL_DATA: 1 << 25,
  HANDLE_KILLPRIV_V2: 1 << 28,
  INIT_EXT: 1 << 30,
} as const;

/** INIT flags from bit 32 on, in `flags2`. */
export const InitFlag2 = { PASSTHROUGH: 1 << 5 } as const;

/** Flags of the answer to OPEN, CREATE and OPENDIR. */
export const OpenFlag = {
  DIRECT_IO: 1 << 0,
  KEEP_CACHE: 1 << 1,
  CACHE_DIR: 1 << 3,
  NOFLUSH: 1 << 5,
  PASSTHROUGH: 1 << 7,
} as const;

/** fuse_open_in.open_flags: the kernel leaves the set-id bits to us (HANDLE_KILLPRIV_V2). */
export const FUSE_OPEN_KILL_SUIDGID = 1 << 0;
/** fuse_write_in.write_flags. */
export const FUSE_WRITE_CACHE = 1 << 0;
export const FUSE_WRITE_KILL_SUIDGID = 1 << 2;
/** fuse_fsync_in.fsync_flags. */
export const FUSE_FSYNC_FDATASYNC = 1 << 0;

/** struct fuse_in_header: what every request begins with. */
export const InHeader = {
  len: 0,
  opcode: 4,
  unique: 8,
  nodeid: 16,
  uid: 24,
  gid: 28,
  pid: 32,
  size: 40,
} as const;

/** struct fuse_out_header: what every answer and notification begins with. */
export const OutHeader = { len: 0, error: 4, unique: 8, size: 16 } as const;

export const ForgetIn = { nlookup: 0 } as const;
/** Followed by `count` times fuse_forget_one. */
export const BatchForgetIn = { count: 0, size: 8 } as const;
export const ForgetOne = { nodeid: 0, nlookup: 8, size: 16 } as const;
export const MknodIn = { mode: 0, rdev: 4, umask: 8, size: 16 } as const;
export const MkdirIn = { mode: 0, umask: 4, size: 8 } as const;
export const RenameIn = { newdir: 0, size: 8 } as const;
export const Rename2In = { newdir: 0, flags: 8, size: 16 } as const;
export const LinkIn = { oldnodeid: 0, size: 8 } as const;
export const SetattrIn = {
  valid: 0,
  fh: 8,
  size: 16,
  atime: 32,
  mtime: 40,
  atimensec: 56,
  mtimensec: 60,
  mode: 68,
  uid: 76,
  gid: 80,
} as const;
export const OpenIn = { flags: 0, openFlags: 4 } as const;
export const CreateIn = { flags: 0, mode: 4, umask: 8, size: 16 } as const;
export const ReleaseIn = { fh: 0 } as const;
export const FlushIn = { fh: 0 } as const;
/** READ, READDIR and READDIRPLUS. */
export const ReadIn = { fh: 0, offset: 8, size: 16 } as const;
export const WriteIn = {
  fh: 0,
  offset: 8,
  size: 16,
  writeFlags: 20,
  flags: 32,
  structSize: 40,
} as const;
export const FsyncIn = { fh: 0, fsyncFlags: 8 } as const;
/** FUSE_COMPAT_SETXATTR_IN_SIZE: the form without FUSE_SETXATTR_EXT. */
export const SetxattrIn = { size: 0, flags: 4, structSize: 8 } as const;
/** GETXATTR and LISTXATTR. */
export const GetxattrIn = { size: 0, structSize: 8 } as const;
export const FallocateIn = { fh: 0, offset: 8, length: 16, mode: 24 } as const;
export const LseekIn = { fh: 0, offset: 8, whence: 16 } as const;
export const IoctlIn = {
  fh: 0,
  flags: 8,
  cmd: 12,
  arg: 16,
  inSize: 24,
  outSize: 28,
  size: 32,
} as const;
export const IoctlOut = { result: 0, flags: 4, size: 16 } as const;
export const CopyFileRangeIn = {
  fhIn: 0,
  offIn: 8,
  nodeidOut: 16,
  fhOut: 24,
  offOut: 32,
  length: 40,
} as const;
export const InterruptIn = { unique: 0 } as const;
export const InitIn = { major: 0, minor: 4, maxReadahead: 8, flags: 12, flags2: 16 } as const;

export const InitOut = {
  major: 0,
  minor: 4,
  maxReadahead: 8,
  flags: 12,
  /** u16 max_background, u16 congestion_threshold. */
  background: 16,
  maxWrite: 20,
  timeGran: 24,
  /** u16 max_pages, u16 map_alignment. */
  maxPages: 28,
  flags2: 32,
  maxStackDepth: 36,
  size: 64,
} as const;
/** struct fuse_attr. */
export const AttrField = {
  ino: 0,
  size: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  atimensec: 48,
  mtimensec: 52,
  ctimensec: 56,
  mode: 60,
  nlink: 64,
  uid: 68,
  gid: 72,
  rdev: 76,
  blksize: 80,
  flags: 84,
} as const;
export const AttrOut = { attrValid: 0, attrValidNsec: 8, attr: 16, size: 104 } as const;
export const EntryOut = {
  nodeid: 0,
  generation: 8,
  entryValid: 16,
  attrValid: 24,
  entryValidNsec: 32,
  attrValidNsec: 36,
  attr: 40,
  size: 128,
} as const;
export const OpenOut = { fh: 0, openFlags: 8, backingId: 12, size: 16 } as const;
export const WriteOut = { written: 0, padding: 4, size: 8 } as const;
export const GetxattrOut = { valueSize: 0, padding: 4, size: 8 } as const;
export const LseekOut = { offset: 0, size: 8 } as const;
/** struct fuse_kstatfs. */
export const StatfsOut = {
  blocks: 0,
  bfree: 8,
  bavail: 16,
  files: 24,
  ffree: 32,
  bsize: 40,
  namelen: 44,
  frsize: 48,
  size: 80,
} as const;
/** struct fuse_dirent; each is padded to 8 bytes (FUSE_DIRENT_ALIGN). */
export const Dirent = { ino: 0, off: 8, namelen: 16, type: 20, name: 24 } as const;
export const InvalInodeOut = { ino: 0, off: 8, len: 16, size: 24 } as const;
export const InvalEntryOut = { parent: 0, namelen: 8, flags: 12, size: 16 } as const;
