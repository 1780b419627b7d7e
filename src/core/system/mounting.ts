import { close, O_CLOEXEC, O_NONBLOCK, O_RDWR, AT_FDCWD, openat } from './files.js';
import { checked, declare, declareAsync, koffi, Memory } from './native.js';

/**
 * Mounting, and the FUSE device: mount(2), umount2(2), fuse(4). Functions return the call's result or a negated errno.
 */

/** Flags of mount(2), linux/mount.h. */
export const MountFlag = {
  readOnly: 1 << 0,
  nosuid: 1 << 1,
  nodev: 1 << 2,
  noexec: 1 << 3,
  synchronous: 1 << 4,
  /** Changes how it is mounted. */
  remount: 1 << 5,
  dirsync: 1 << 7,
  noatime: 1 << 10,
  nodiratime: 1 << 11,
} as const;

/**
 * How to unmount, as flags of umount2(2). `lazy`: the mount leaves the tree at once, and ends when nobody uses it any more.
 * `force`: requests that wait for an answer fail; it is refused all the same where somebody uses it.
 */
const UNMOUNT = { plain: 0, force: 1, lazy: 2 } as const;
export type Unmounting = keyof typeof UNMOUNT;

const STRING_BYTES = 8192;
/** _IOR(229, 0, uint32_t), linux/fuse.h. */
const FUSE_DEV_IOC_CLONE = 0x8004e500;
const ioctlWord = new Memory(8);
const strings = new Memory(4 * STRING_BYTES);

const c = {
  mount: declare('int mount(uint64, uint64, uint64, uint64, uint64)'),
  read: declare('int64 read(int, uint64, uint64)'),
  write: declare('int64 write(int, uint64, uint64)'),
  yield: declare('int sched_yield()'),
  ioctl: declare('int ioctl(int, uint64, uint64)'),
};

const umount2Async = declareAsync('int umount2(uint64, int)');
const writeAsync = declareAsync('int64 write(int, uint64, uint64)');

/** mount(2). Source and mount point are paths as the user wrote them (UTF-8). */
export function mount(
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): number {
  const addresses = [source, target, type, data].map((text, index) =>
    strings.putString(utf8Bytes(text), index * STRING_BYTES),
  );
  const [sourceAt = 0, targetAt = 0, typeAt = 0, dataAt = 0] = addresses;
  return checked(c.mount(sourceAt, targetAt, typeAt, flags, dataAt));
}

/** umount2(2), on the thread pool: the kernel writes dirty pages back first, so the one who unmounts must go on serving. */
export function umount(target: string, how: Unmounting = 'plain'): Promise<number> {
  const path = new Memory(STRING_BYTES);
  const address = path.putString(utf8Bytes(target));
  return new Promise((resolve) => {
    umount2Async([address, UNMOUNT[how]], (result) => {
      // Named here so that the memory lives until the kernel has read it.
      path.buffer.fill(0);
      resolve(result);
    });
  });
}

function utf8Bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** @returns a descriptor of /dev/fuse that does not block and does not pass to child processes. */
export function openFuseDevice(): number {
  return openat(AT_FDCWD, '/dev/fuse', O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

/** Another descriptor of a mounted device's connection, with a file status of its own. Non-blocking. */
export function cloneFuseDevice(fd: number): number {
  const clone = openFuseDevice();
  if (clone < 0) return clone;
  ioctlWord.buffer.writeUInt32LE(fd);
  const result = checked(c.ioctl(clone, FUSE_DEV_IOC_CLONE, ioctlWord.address));
  if (result === 0) return clone;
  close(clone);
  return result;
}

export function readDevice(fd: number, address: number, size: number): number {
  return checked(c.read(fd, address, size));
}

export function writeDevice(fd: number, address: number, size: number): number {
  return checked(c.write(fd, address, size));
}

/** Lets others run who wait for this processor. */
export function yieldProcessor(): void {
  c.yield();
}

/** The same on the thread pool, for writes that may block in the kernel. The memory must live until `done`. */
export function writeDeviceInBackground(
  fd: number,
  address: number,
  size: number,
  done: (result: number) => void,
): void {
  writeAsync([fd, address, size], done);
}

export { close as closeDevice };

/**
 * Tells when a device has something to read, or (`gone`) its other end is no more. `wake` must not throw, and must not
 * settle promises: koffi calls it from libuv directly, where nobody would run what waits for them.
 */
export class Readiness {
  #handle: ReturnType<typeof koffi.node.poll> | undefined;

  constructor(
    private readonly fd: number,
    private readonly wake: (gone: boolean) => void,
  ) {}

  /** Wakes as long as there is something to read. */
  watch(): void {
    this.#start(true);
  }

  /** Wakes only for the end from now on. */
  watchEnd(): void {
    this.#start(false);
  }

  #start(readable: boolean): void {
    const events = { readable, disconnect: true };
    // koffi's declaration leaves out the first argument, the status of uv_poll_cb: negative after EPOLLERR.
    const woken = (status: unknown) => {
      this.wake(typeof status === 'number' && status < 0);
    };
    if (this.#handle === undefined) this.#handle = koffi.node.poll(this.fd, events, woken);
    else this.#handle.start(events, woken);
  }

  close(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }
}
