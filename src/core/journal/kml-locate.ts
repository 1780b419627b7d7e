import type { Recno } from '../model/ids.js';
import type { FileWindow } from './file-window.js';
import type { KmlHeader } from './kml-header.js';
import { quickTail } from './kml-scan.js';
import { damaged } from './log-file.js';
import { isPossibleLength, lengthAt, RECORD_BYTES_MIN, recnoAt } from './record-frame.js';

/** Distance between remembered places, in records. Passing over as many takes some 50 us. */
const MARK_EVERY = 1024;

interface Mark {
  readonly recno: Recno;
  /** Where that record begins, in bytes. */
  readonly offset: number;
}

/**
 * Finds where a record begins. Nothing is read before it is asked for; what was passed over is remembered every
 * MARK_EVERY records. Records are passed over by their lengths and numbers only: whoever reads one checks it.
 */
export class KmlLocator {
  /** By the stretch of MARK_EVERY records that they are in. */
  readonly #marks = new Map<number, Mark>();

  constructor(private readonly window: FileWindow) {}

  /**
   * @returns the offset of record `recno`, or of the next one where there is none of that number, in a log of `size` bytes;
   *   undefined where the log ends before it or begins after it. @throws IzoError journal-damaged
   */
  find(header: KmlHeader, recno: Recno, size: number): number | undefined {
    if (recno < header.firstRecno) return undefined;
    const from = this.#floor(header, recno);
    if (recno - from.recno > MARK_EVERY) {
      const tail = quickTail(this.window, header, size);
      if (tail !== undefined && recno > tail.recno) return undefined;
      if (tail !== undefined && tail.recno - recno < recno - from.recno) {
        return this.#back({ recno: tail.recno + 1, offset: tail.offset }, recno);
      }
    }
    return this.#forth(from, recno, size);
  }

  /** Where somebody has been already: starting there costs nothing. The first place of each stretch is kept. */
  remember(recno: Recno, offset: number): void {
    const stretch = Math.floor(recno / MARK_EVERY);
    if (!this.#marks.has(stretch)) this.#marks.set(stretch, { recno, offset });
  }

  /** The nearest known place that is not after `recno`. */
  #floor(header: KmlHeader, recno: Recno): Mark {
    const { firstRecno } = header;
    for (
      let stretch = Math.floor(recno / MARK_EVERY);
      stretch * MARK_EVERY > firstRecno;
      stretch--
    ) {
      const mark = this.#marks.get(stretch);
      if (mark !== undefined && mark.recno <= recno) return mark;
    }
    return { recno: firstRecno, offset: header.firstOffset };
  }

  #forth(from: Mark, wanted: Recno, size: number): number | undefined {
    let { recno, offset } = from;
    while (size - offset >= RECORD_BYTES_MIN) {
      const at = this.window.load(offset, RECORD_BYTES_MIN);
      const { buffer } = this.window;
      const length = lengthAt(buffer, at);
      const found = recnoAt(buffer, at);
      if (!isPossibleLength(length) || found < recno) {
        throw damaged('kml', offset, `record ${recno} cannot be read`);
      }
      if (found >= wanted) return offset;
      recno = found + 1;
      offset += length;
      this.remember(recno, offset);
    }
    return undefined;
  }

  #back(from: Mark, wanted: Recno): number {
    let { recno, offset } = from;
    for (;;) {
      const at = this.window.loadBackwards(offset - 4, 4);
      const length = lengthAt(this.window.buffer, at);
      const start = offset - length;
      const possible = isPossibleLength(length) && start >= 0;
      const place = possible ? this.window.loadBackwards(start, RECORD_BYTES_MIN) : 0;
      const found = possible ? recnoAt(this.window.buffer, place) : recno;
      if (found >= recno) {
        throw damaged('kml', Math.max(0, start), `the record before ${recno} cannot be read`);
      }
      if (found < wanted) return offset;
      recno = found;
      offset = start;
      if (found === wanted) return offset;
    }
  }
}
