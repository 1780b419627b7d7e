import type { Stamp } from '../../model/ids.js';
import { FrameError } from '../../psdev/frames.js';
import { decodePatch, PATCH_BYTES_MAX, type Patch } from '../../psdev/patch.js';
import { lseek, pread, SEEK_END } from '../../system/files.js';
import { Memory } from '../../system/native.js';

const memory = new Memory(PATCH_BYTES_MAX);

/** What a file of the stage says of itself, or undefined where it is no whole patch. */
export function readPatch(fd: number): Patch | undefined {
  const size = lseek(fd, 0, SEEK_END);
  const length = Math.min(size, memory.length);
  if (length <= 0 || pread(fd, memory.address, length, size - length) !== length) return undefined;
  try {
    return decodePatch(memory.buffer.subarray(0, length));
  } catch (error) {
    if (error instanceof FrameError) return undefined;
    throw error;
  }
}

/** A patch that is being put in place has its file in the stage under this name: lento does not touch it any more. */
export function redoName({ replica, recno }: Stamp): string {
  return `redo-${replica.toString(16)}-${recno}`;
}
