import { readFileSync } from 'node:fs';
import { decodeMergePlan, type MergePlan } from '../../psdev/merge-plan.js';
import { E, must } from '../../system/errno.js';
import {
  close,
  fsync,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  openat,
  pread,
  pwrite,
  renameat2,
  unlinkat,
} from '../../system/files.js';
import { Memory } from '../../system/native.js';

const PLAN = 'merge';
const PROGRESS = 'merge.done';
const PROGRESS_BYTES = 8;

/**
 * A merge on disk, beside the logs: the plan, and how many of its steps are done. The latter is written before each step,
 * in the order of the file system's journal: after a crash one step at most is done again.
 */
export class MergeFiles {
  readonly #memory = new Memory(PROGRESS_BYTES);
  #progressFd = -1;

  constructor(
    /** Descriptors of `.intermezzo/<fileset>` and of its stage. */
    private readonly directory: number,
    private readonly stage: number,
  ) {}

  /** The plan that lento has written, made durable. @throws FrameError, SystemError */
  readStaged(name: string): MergePlan {
    const fd = must('open', openat(this.stage, name, O_RDONLY | O_NOFOLLOW), name);
    try {
      const plan = decodeMergePlan(readFileSync(fd));
      must('fsync', fsync(fd), name);
      return plan;
    } finally {
      close(fd);
    }
  }

  isBusy(): boolean {
    const fd = openat(this.directory, PLAN, O_RDONLY | O_NOFOLLOW);
    if (fd >= 0) close(fd);
    return fd >= 0;
  }

  /** Takes the plan over: from here on the merge will be done. @throws SystemError: then it will not */
  take(name: string): void {
    must('rename', renameat2(this.stage, name, this.directory, PLAN), PLAN);
    must('fsync', fsync(this.directory), PLAN);
  }

  /** The plan that is being carried out, or undefined. @throws FrameError, SystemError */
  read(): MergePlan | undefined {
    const fd = openat(this.directory, PLAN, O_RDONLY | O_NOFOLLOW);
    if (fd === -E.ENOENT) return undefined;
    must('open', fd, PLAN);
    try {
      return decodeMergePlan(readFileSync(fd));
    } finally {
      close(fd);
    }
  }

  /** Steps that were begun; all but the last of them are done. */
  begun(): number {
    const { buffer, address } = this.#memory;
    const count = pread(this.#progress(), address, PROGRESS_BYTES, 0);
    return count === PROGRESS_BYTES ? Number(buffer.readBigUInt64LE()) : 0;
  }

  /** @returns a negated errno where it cannot be noted: then the step may not be done */
  begin(step: number): number {
    const { buffer, address } = this.#memory;
    buffer.writeBigUInt64LE(BigInt(step));
    return pwrite(this.#progress(), address, PROGRESS_BYTES, 0);
  }

  #progress(): number {
    if (this.#progressFd < 0) {
      const flags = O_RDWR | O_CREAT | O_NOFOLLOW;
      this.#progressFd = must('open', openat(this.directory, PROGRESS, flags, 0o600), PROGRESS);
    }
    return this.#progressFd;
  }

  /** A version that lost goes from the stage to the conflict store, with its evidence. */
  keepConflict(name: string): void {
    const store = openat(this.directory, 'conflicts', O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    must('open', store, 'conflicts');
    const moved = renameat2(this.stage, name, store, name);
    close(store);
    if (moved !== -E.ENOENT) must('rename', moved, name);
  }

  /** The merge is done. The plan goes first: progress without a plan means nothing. */
  remove(): void {
    must('unlink', unlinkat(this.directory, PLAN), PLAN);
    must('fsync', fsync(this.directory), PLAN);
    if (this.#progressFd >= 0) close(this.#progressFd);
    this.#progressFd = -1;
    unlinkat(this.directory, PROGRESS);
  }
}
