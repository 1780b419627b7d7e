import { fsync } from 'node:fs';
import { promisify } from 'node:util';
import { must } from '../system/errno.js';
import { close, O_NOFOLLOW, O_RDONLY, openat } from '../system/files.js';
import { openMeta } from './logs.js';

const synced = promisify(fsync);

/** Makes durable what another process has noted in a fileset's logs so far. */
export class LogSync {
  private constructor(private readonly fds: readonly number[]) {}

  /** @param root descriptor of the lower tree. @throws IzoError not-formatted; SystemError */
  static open(root: number, fileset: string): LogSync {
    const directory = openMeta(root, fileset);
    const fds: number[] = [];
    try {
      for (const name of ['kml', 'lml']) {
        fds.push(must('open', openat(directory, name, O_RDONLY | O_NOFOLLOW), name));
      }
    } catch (error) {
      for (const fd of fds) close(fd);
      throw error;
    } finally {
      close(directory);
    }
    return new LogSync(fds);
  }

  /**
   * Both logs: after a crash, an update that was going on now is in the one, or what tells that it had begun in the other.
   * Takes some milliseconds. @throws Error of fsync(2)
   */
  async sync(): Promise<void> {
    for (const fd of this.fds) await synced(fd);
  }

  close(): void {
    for (const fd of this.fds) close(fd);
  }
}
