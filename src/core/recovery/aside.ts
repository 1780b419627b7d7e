import { copyFileSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { IzoError } from '../model/errors.js';
import { displayBytes } from '../model/names.js';
import { must } from '../system/errno.js';
import { AT_FDCWD, close, fsync, O_RDONLY, openat, renameat2 } from '../system/files.js';

/** Where a recovery keeps what it changes: `.intermezzo/<fileset>/kept/<time>`, which no mount shows. */
export class Aside {
  readonly path: string;

  /** `meta`: the path of `.intermezzo/<fileset>`. */
  constructor(
    private readonly meta: string,
    now: Date,
  ) {
    const time = now.toISOString().replaceAll(/[-:.]/g, '');
    this.path = join(meta, 'kept', time);
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
  }

  /**
   * Copies those of the files that are there, before any of them is changed. @throws IzoError no-room: then nothing is
   */
  copy(names: readonly string[]): void {
    try {
      for (const name of names) {
        const from = join(this.meta, name);
        if (lstatSync(from, { throwIfNoEntry: false })?.isFile() !== true) continue;
        copyFileSync(from, join(this.path, name));
      }
      this.sync();
    } catch (cause) {
      rmSync(this.path, { recursive: true, force: true });
      throw new IzoError('no-room', 'the logs cannot be copied; nothing was changed', {
        cause,
        remedy: 'Make room in the cache: mount it, and remove what is not needed.',
      });
    }
  }

  /** Takes a file away from where it is, if it is there; `name` is relative to the fileset's directory. */
  take(name: string): void {
    const from = join(this.meta, name);
    if (lstatSync(from, { throwIfNoEntry: false }) !== undefined) {
      renameSync(from, join(this.path, name));
    }
  }

  /** Takes what has that name in the directory `root` away, into `tree`. */
  takeFromRoot(root: number, name: string): void {
    const to = must('open', openat(AT_FDCWD, join(this.path, 'tree'), O_RDONLY), 'tree');
    try {
      must('rename', renameat2(root, name, to, name), displayBytes(name));
    } finally {
      close(to);
    }
  }

  /** All that is kept, and all that was changed before, is on the disk. */
  sync(): void {
    const fd = must('open', openat(AT_FDCWD, this.path, O_RDONLY), this.path);
    must('fsync', fsync(fd), this.path);
    close(fd);
  }
}
