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
   * @returns the offset of record `recno` in a log of `size` bytes; undefined where the log ends before it or begins
   *   after it. @throws IzoError journal-damaged
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
    while (recno < wanted) {
      if (size - offset < RECORD_BYTES_MIN) return undefined;
      const at = this.window.load(offset, RECORD_BYTES_MIN);
      const { buffer } = this.window;
      const length = lengthAt(buffer, at);
      if (!isPossibleLength(length) || recnoAt(buffer, at) !== recno) {
        throw damaged('kml', offset, `record ${recno} cannot be read`);
      }
      recno++;
      offset += length;
      this.remember(recno, offset);
    }
    return offset < size ? offset : undefined;
  }

  #back(from: Mark, wanted: Recno): number {
    let { recno, offset } = from;
    while (recno > wanted) {
      const at = this.window.loadBackwards(offset - 4, 4);
      const length = lengthAt(this.window.buffer, at);
      recno--;
      offset -= length;
      const start = offset < 0 ? 0 : this.window.loadBackwards(offset, RECORD_BYTES_MIN);
      const { buffer } = this.window;
      if (offset < 0 || !isPossibleLength(length) || recnoAt(buffer, start) !== recno) {
        throw damaged('kml', Math.max(0, offset), `record ${recno} cannot be read`);
      }
    }
    return offset;
  }
}
