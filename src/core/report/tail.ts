import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/**
 * The last bytes of a file, from the beginning of a line on where it is longer. What is no regular file is not waited for.
 * @throws where it cannot be read
 */
export function tailOf(path: string, bytes: number): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    // Files of /proc say that they are empty.
    const { size } = fstatSync(fd);
    const start = Math.max(0, size - bytes);
    for (let at = start; total < bytes;) {
      const chunk = Buffer.alloc(Math.min(65_536, bytes - total));
      const count = readSync(fd, chunk, 0, chunk.length, at);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      total += count;
      at += count;
    }
    const all = Buffer.concat(chunks);
    return start === 0 ? all : all.subarray(all.indexOf(10) + 1);
  } finally {
    closeSync(fd);
  }
}
