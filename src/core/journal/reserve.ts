import { must } from '../system/errno.js';
import { O_CREAT, O_NOFOLLOW, O_RDWR, openat } from '../system/files.js';
import { Memory } from '../system/native.js';
import type { Disk } from './disk.js';
import { sizeOf } from './log-file.js';

const NAME = 'reserve';
/** Some 1500 records of removals. */
export const RESERVE_BYTES = 256 * 1024;
const STEP_BYTES = 16 * 1024;

/**
 * Room that is kept for the records of removals: on a full disk nothing could be removed if the log could not say so. It
 * is a file of zeros, which is cut shorter when the disk is full, and made longer again when there is room.
 */
export class Reserve {
  readonly #zeros = new Memory(RESERVE_BYTES);
  #size: number;

  private constructor(
    private readonly fd: number,
    private readonly disk: Disk,
  ) {
    this.#size = sizeOf(fd);
  }

  /** @param opened takes the descriptor, to close it. @throws SystemError */
  static open(directory: number, disk: Disk, opened: number[]): Reserve {
    const fd = must('open', openat(directory, NAME, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600), NAME);
    opened.push(fd);
    const reserve = new Reserve(fd, disk);
    reserve.refill();
    return reserve;
  }

  /** Gives some of it to the file system. @returns false where nothing is left */
  give(): boolean {
    const size = Math.max(0, this.#size - STEP_BYTES);
    if (this.#size === 0 || this.disk.ftruncate('reserve.give', this.fd, size) < 0) return false;
    this.#size = size;
    return true;
  }

  /** Takes back what is missing, as far as there is room for it. */
  refill(): void {
    const missing = RESERVE_BYTES - this.#size;
    if (missing <= 0) return;
    const { address } = this.#zeros;
    const written = this.disk.pwrite('reserve.refill', this.fd, address, missing, this.#size);
    if (written > 0) this.#size += written;
  }
}
