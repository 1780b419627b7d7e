import { LIMITS } from '../../model/limits.js';
import type { Range } from '../../model/records.js';
import { E, must } from '../../system/errno.js';
import { lseek, pread, SEEK_DATA } from '../../system/files.js';
import { Memory } from '../../system/native.js';
import { PIECE_HEAD_BYTES, putPieceHead } from '../../wire/messages.js';

/** Whole blocks of zeros are no part of any piece: they are as good as a hole. */
const BLOCK = 4096;
/** A file is cut at multiples of this; with its head a piece fits a chunk. */
export const WINDOW_BYTES = LIMITS.chunkBytes - BLOCK;

const ZEROS = Buffer.alloc(BLOCK);

/** The pieces end before they should: the file is shorter than was said. */
export class FileTooShort extends Error {
  override readonly name = 'FileTooShort';
}

/**
 * Cuts parts of a file, in order and without overlap, into pieces with their heads: in the same way for the same contents,
 * wherever its holes are. So who takes up a transfer again has the same pieces, and the same checksum of them.
 */
export class ContentPieces {
  /** The head of a window's first piece is before it; those of others are where its zeros were. */
  readonly #memory = new Memory(BLOCK + WINDOW_BYTES);

  /** A piece is good until the next one is taken. @throws SystemError, FileTooShort */
  *of(fd: number, parts: readonly Range[]): Generator<Buffer, void, undefined> {
    for (const part of parts) yield* this.#ofPart(fd, part.offset, part.offset + part.length);
  }

  *#ofPart(fd: number, begin: number, end: number): Generator<Buffer, void, undefined> {
    for (let at = begin; at < end;) {
      const data = lseek(fd, at, SEEK_DATA);
      // No data from there on: the rest is a hole, or beyond the end.
      if (data === -E.ENXIO) return;
      if (must('lseek', data) >= end) return;
      const window = Math.floor(data / WINDOW_BYTES) * WINDOW_BYTES;
      at = Math.max(begin, window);
      const length = Math.min(end, window + WINDOW_BYTES) - at;
      this.#read(fd, at, length);
      yield* this.#ofWindow(at, length);
      at += length;
    }
  }

  #read(fd: number, offset: number, length: number): void {
    for (let done = 0; done < length;) {
      const address = this.#memory.address + BLOCK + done;
      const count = must('read', pread(fd, address, length - done, offset + done));
      if (count === 0) throw new FileTooShort('a file ends too early');
      done += count;
    }
  }

  *#ofWindow(offset: number, length: number): Generator<Buffer, void, undefined> {
    const { buffer } = this.#memory;
    for (let at = 0; at < length;) {
      while (at < length && this.#isZero(at, length)) at += BLOCK;
      const begin = at;
      while (at < length && !this.#isZero(at, length)) at += BLOCK;
      if (begin >= length) return;
      const head = BLOCK + begin - PIECE_HEAD_BYTES;
      const end = BLOCK + Math.min(at, length);
      putPieceHead(buffer, offset + begin, false, head);
      yield buffer.subarray(head, end);
    }
  }

  #isZero(at: number, length: number): boolean {
    const { buffer } = this.#memory;
    const begin = BLOCK + at;
    if (buffer[begin] !== 0) return false;
    const count = Math.min(BLOCK, length - at);
    return buffer.compare(ZEROS, 0, count, begin, begin + count) === 0;
  }
}
