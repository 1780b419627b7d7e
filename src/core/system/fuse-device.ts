import { O_NONBLOCK, O_RDWR, openat } from './files.js';
import { checked, declare, declareAsync, koffi } from './native.js';

/** The character device by which the kernel talks to a FUSE server: fuse(4). */
const c = {
  read: declare('int64 read(int, uint64, uint64)'),
  write: declare('int64 write(int, uint64, uint64)'),
  writeBlocking: declareAsync('int64 write(int, uint64, uint64)'),
};

/** @returns a descriptor that never blocks on reading, or a negated errno. */
export function openFuseDevice(): number {
  return openat(-100, '/dev/fuse', O_RDWR | O_NONBLOCK);
}

/** One whole request. @returns its length, or -EAGAIN, -ENOENT (it was interrupted), -ENODEV (unmounted) ... */
export function readRequest(fd: number, address: number, size: number): number {
  return checked(c.read(fd, address, size));
}

/** One whole answer. @returns its length or a negated errno. */
export function writeAnswer(fd: number, address: number, size: number): number {
  return checked(c.write(fd, address, size));
}

/**
 * Writes a notification on another thread: the kernel may hold it up until requests are answered that this process has
 * yet to answer. The memory must stay as it is until `done`.
 */
export function writeNotification(
  fd: number,
  address: number,
  size: number,
  done: (result: number) => void,
): void {
  c.writeBlocking([fd, address, size], done);
}

/** Calls back whenever `fd` can be read or has lost its other end. @returns what stops that. */
export function whenReadable(fd: number, callback: () => void): () => void {
  const handle = koffi.node.poll(fd, { readable: true, disconnect: true }, callback);
  return () => {
    handle.stop();
    handle.close();
  };
}
