import { O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY } from '../../system/files.js';

/** open(2) flags for the lower file: the kernel above has done the rest, and reads and writes come with offsets. */
export function lowerFlags(flags: number): number {
  const access = flags & O_ACCMODE;
  return access === O_WRONLY || access === O_RDWR ? O_RDWR : O_RDONLY;
}
