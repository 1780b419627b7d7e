import type { FileHandle } from 'node:fs/promises';

/**
 * Writes all of `data`. One write(2) may put down only a part of it and call that a success: on a disk that gets full it
 * does, and the next one fails.
 * @param offset in the file, in bytes. @throws what write(2) fails with; a part may have been written then
 */
export async function writeAll(file: FileHandle, data: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await file.write(data, done, data.length - done, offset + done);
    done += bytesWritten;
  }
}
