import type { Recno, ReplicaId } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { realDisk } from './disk.js';
import { FileWindow } from './file-window.js';
import { readKmlHeader, writeKmlHeader, type KmlHeader } from './kml-header.js';
import { scanKml, type Scan } from './kml-scan.js';
import { sizeOf } from './log-file.js';
import { decodeRecord } from './record-codec.js';
import { ALIGNMENT, frameFault, previousAt, recnoAt, RECORD_BYTES_MIN } from './record-frame.js';

/** What a KML looks like to somebody who means to repair it. Nothing is changed. */
export interface KmlFindings {
  readonly header: KmlHeader;
  readonly scan: Scan;
  /** Records that can be read, those after the damage included. */
  readonly records: number;
  /** The highest number of a record that can be read; 0 where there is none. */
  readonly last: Recno;
  /** By replica: the highest number of an update of its users that this log tells of. */
  readonly origins: ReadonlyMap<ReplicaId, Recno>;
  /** All that is wrong, in its order; a torn tail as well. */
  readonly faults: readonly KmlFault[];
  /** Of a damaged log: what is left of it, from the first good record after the last damage on, to the end of the file. */
  readonly after: KmlHeader | undefined;
}

/** Where a log cannot be read: the byte, the number that a record there would have, and why. */
export interface KmlFault {
  readonly offset: number;
  readonly recno: Recno;
  readonly kind: 'damaged' | 'torn-tail';
  readonly reason: string;
}

/**
 * Reads all of a log, body by body, and where it is damaged looks for what is good behind that.
 * @throws IzoError journal-damaged: not even its header can be read; journal-version; SystemError
 */
export function examineKml(fd: number): KmlFindings {
  return new Examination(fd).run();
}

/**
 * Lets a log begin at `after`, so that nobody reads the damage before that. No byte of a record is touched.
 * @throws SystemError
 */
export function skipDamage(fd: number, after: KmlHeader): void {
  writeKmlHeader(realDisk, fd, after);
}

class Examination {
  readonly #window: FileWindow;
  readonly #size: number;
  readonly #origins = new Map<ReplicaId, Recno>();
  readonly #faults: KmlFault[] = [];
  #records = 0;
  #last = 0;

  constructor(private readonly fd: number) {
    this.#window = new FileWindow(fd);
    this.#size = sizeOf(fd);
  }

  run(): KmlFindings {
    const header = readKmlHeader(this.fd);
    const scan = this.#read(header);
    let end = scan;
    let after: KmlHeader | undefined;
    while (end.kind === 'damaged') {
      after = this.#next(header, end.tail.offset);
      if (after === undefined) break;
      end = this.#read(after);
    }
    const [records, last, origins] = [this.#records, this.#last, this.#origins];
    return { header, scan, records, last, origins, faults: this.#faults, after };
  }

  #read(header: KmlHeader): Scan {
    const scan = this.#readBodies(header);
    if (scan.kind === 'clean') return scan;
    const { kind, reason, tail } = scan;
    this.#faults.push({ offset: tail.offset, recno: tail.recno + 1, kind, reason });
    return scan;
  }

  /** Frames and chain first, then what is in them: a body that cannot be understood is damage as well. */
  #readBodies(header: KmlHeader): Scan {
    const offsets: number[] = [];
    const scan = scanKml(this.#window, header, this.#size, (_recno, offset) => {
      offsets.push(offset);
    });
    let tail = { offset: header.firstOffset, recno: header.firstRecno - 1, checksum: 0 };
    for (const offset of offsets) {
      const at = this.#load(offset);
      const decoded = decodeRecord(this.#window.buffer, at, this.#window.limit);
      if (typeof decoded === 'string') return { kind: 'damaged', tail, reason: decoded };
      const { recno, origin, originRecno } = decoded.record.head;
      this.#origins.set(origin, Math.max(originRecno, this.#origins.get(origin) ?? 0));
      this.#records++;
      this.#last = Math.max(this.#last, recno);
      tail = { offset: offset + decoded.length, recno, checksum: decoded.checksum };
    }
    return scan;
  }

  /** A log of the same id that begins with the first whole record behind `offset`. */
  #next(header: KmlHeader, offset: number): KmlHeader | undefined {
    const from = offset - (offset % ALIGNMENT) + ALIGNMENT;
    for (let place = from; place + RECORD_BYTES_MIN <= this.#size; place += ALIGNMENT) {
      const at = this.#load(place);
      const { buffer } = this.#window;
      const end = Math.min(this.#window.limit, at + this.#size - place);
      if (frameFault(buffer, at, end) !== undefined) continue;
      const firstRecno = recnoAt(buffer, at);
      return { ...header, firstRecno, firstOffset: place, baseChecksum: previousAt(buffer, at) };
    }
    return undefined;
  }

  #load(offset: number): number {
    return this.#window.load(offset, Math.min(LIMITS.recordBytes, this.#size - offset));
  }
}
