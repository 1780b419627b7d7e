import { closeSync, openSync, writeSync } from 'node:fs';
import { MergePlanWriter, type MergeHead } from '../../psdev/merge-plan.js';

const BUFFER_BYTES = 256 * 1024;

/** A plan on its way into a file: no more of it than this is in memory. */
export class PlanFile {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #used = 0;
  readonly writer: MergePlanWriter;

  /** @throws Error of open(2), write(2) */
  constructor(path: string, head: MergeHead) {
    this.#fd = openSync(path, 'w', 0o600);
    this.writer = new MergePlanWriter((bytes) => this.#put(bytes), head);
  }

  #put(bytes: Buffer): void {
    if (bytes.length > BUFFER_BYTES - this.#used) this.#flush();
    if (bytes.length > BUFFER_BYTES) {
      this.#write(bytes);
      return;
    }
    bytes.copy(this.#buffer, this.#used);
    this.#used += bytes.length;
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done);
  }

  /** All of it is in the file. @throws Error of write(2) */
  finish(): void {
    this.writer.finish();
    this.#flush();
  }

  close(): void {
    closeSync(this.#fd);
  }
}
