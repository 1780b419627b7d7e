import type { CacheState } from '../../psdev/messages.js';
import { E } from '../../system/errno.js';
import { findMountAt } from '../../system/mounts.js';

/** A file system that has failed is mounted `ro`; since Linux 6.14 ext4 says what it is. */
const TAKES_NO_UPDATES = ['ro', 'emergency_ro'];

function takesNone(mountPoint: string | undefined): boolean {
  const mount = mountPoint === undefined ? undefined : findMountAt(mountPoint);
  return mount?.options.some((option) => TAKES_NO_UPDATES.includes(option)) === true;
}

/** Whether the cache's file system still takes updates: one that has found itself damaged turns read-only. */
export class CacheWatch {
  #told = false;

  constructor(
    private readonly at: { lowerPath: string | undefined; mountPoint: string | undefined },
    private readonly say: (message: string) => void,
  ) {}

  /** To be told what updates come to. The first refusal is worth a line in the log; @returns `result`. */
  note(result: number): number {
    if (result === -E.EROFS && !this.#told) {
      this.#told = true;
      this.say(
        'the cache has become read-only: updates are refused, and what was written last is not journaled yet',
      );
    }
    return result;
  }

  /** As the kernel has it now, whether or not anybody has tried an update. */
  state(): CacheState {
    const { lowerPath, mountPoint } = this.at;
    if (takesNone(lowerPath)) return 'failed';
    return takesNone(mountPoint) ? 'read-only' : 'writable';
  }
}
