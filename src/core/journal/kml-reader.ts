import { IzoError } from '../model/errors.js';
import { formatReplicaId, type Recno } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import type { Position } from '../model/position.js';
import { must } from '../system/errno.js';
import { close, O_NOFOLLOW, O_RDONLY, openat } from '../system/files.js';
import { examineKml, type KmlFindings } from './examine.js';
import { FileWindow } from './file-window.js';
import { basePosition, readKmlHeader, type KmlHeader } from './kml-header.js';
import { KmlLocator } from './kml-locate.js';
import { chainFault, quickTail, scanKml, type Scan, type Tail, type Visit } from './kml-scan.js';
import { damaged, ofFileset, sizeOf } from './log-file.js';
import { openMeta } from './logs.js';
import { decodeRecord, type DecodedRecord } from './record-codec.js';
import { checksumAt, frameFault, lengthAt, recnoAt, TRAILER_BYTES } from './record-frame.js';

export interface ReadLimits {
  readonly records: number;
  /** Sum of the records' own lengths. One record is always given, however long. */
  readonly bytes: number;
}

export interface ReadResult {
  readonly records: readonly DecodedRecord[];
  /** The number to read from next. */
  readonly next: Recno;
}

interface Around {
  readonly before: Position;
  readonly next: Recno | undefined;
}

/**
 * Reads a log that another process appends to. The appender announces how far it has come, and nothing beyond that is
 * looked at: what is there may be taken back. Reading on from where the last call ended costs only what is new.
 */
export class KmlReader {
  readonly #window: FileWindow;
  readonly #locator: KmlLocator;
  /** After the last record that was given out. */
  #cursor: Tail | undefined;
  #header: KmlHeader;

  /** @param fd open for reading; the reader closes it. @throws IzoError journal-damaged, journal-version; SystemError */
  constructor(
    private readonly fd: number,
    /** For messages, where it is known. */
    private readonly fileset?: string,
  ) {
    this.#header = readKmlHeader(fd);
    this.#window = new FileWindow(fd);
    this.#locator = new KmlLocator(this.#window);
  }

  /** @param root descriptor of the lower tree. @throws IzoError not-formatted, journal-damaged, journal-version; SystemError */
  static openFileset(root: number, fileset: string): KmlReader {
    return ofFileset(fileset, () => KmlReader.#openIn(root, fileset));
  }

  static #openIn(root: number, fileset: string): KmlReader {
    const directory = openMeta(root, fileset);
    const fd = openat(directory, 'kml', O_RDONLY | O_NOFOLLOW);
    close(directory);
    must('open', fd, 'kml');
    try {
      return new KmlReader(fd, fileset);
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  close(): void {
    close(this.fd);
  }

  get header(): KmlHeader {
    return this.#header;
  }

  /** Bytes of the log that are not trimmed. @throws as `read` */
  get bytes(): number {
    this.#look();
    return sizeOf(this.fd) - this.#header.firstOffset;
  }

  /** The same from record `recno` on. @throws as `read` */
  bytesFrom(recno: Recno): number {
    return this.#steady(() => {
      const size = sizeOf(this.fd);
      const from = Math.max(recno, this.#header.firstRecno);
      return size - (this.#locator.find(this.#header, from, size) ?? size);
    });
  }

  /**
   * Records `from` to `upto` at most, as far as the limits go. `upto`: what the appender has announced.
   * @throws IzoError journal-damaged (with the offset), journal-reset (another log has taken its place),
   *   journal-trimmed (`from` is no longer in the log); SystemError
   */
  read(from: Recno, limits: ReadLimits, upto: Recno): ReadResult {
    return ofFileset(this.fileset, () => this.#steady(() => this.#read(from, limits, upto)));
  }

  #read(from: Recno, limits: ReadLimits, upto: Recno): ReadResult {
    if (from > upto) return { records: [], next: from };
    const size = sizeOf(this.fd);
    let cursor = this.#start(from, size);
    const records: DecodedRecord[] = [];
    let bytes = 0;
    while (cursor.recno < upto && records.length < limits.records) {
      const decoded = this.#decode(cursor, size);
      if (records.length > 0 && bytes + decoded.length > limits.bytes) break;
      bytes += decoded.length;
      records.push(decoded);
      const { recno } = decoded.record.head;
      cursor = { recno, offset: cursor.offset + decoded.length, checksum: decoded.checksum };
      this.#locator.remember(recno + 1, cursor.offset);
    }
    this.#cursor = cursor;
    return { records, next: cursor.recno + 1 };
  }

  /**
   * The position after record `recno`; undefined where that is before the log's beginning or after its end. Only ask for
   * what has been announced. @throws as `read`
   */
  positionAt(recno: Recno): Position | undefined {
    return this.#steady(() => this.#positionAt(recno));
  }

  #positionAt(recno: Recno): Position | undefined {
    const base = basePosition(this.#header);
    if (recno === base.recno) return base;
    const size = sizeOf(this.fd);
    const offset = this.#locator.find(this.#header, recno, size);
    const found = offset === undefined ? undefined : this.#position(offset, size);
    return found?.recno === recno ? found : undefined;
  }

  /** The position after the record that begins at `offset`. */
  #position(offset: number, size: number): Position {
    const at = this.#load(offset, size);
    const { buffer } = this.#window;
    const fault = frameFault(buffer, at, this.#window.limit);
    if (fault !== undefined) throw damaged('kml', offset, fault);
    const checksum = checksumAt(buffer, at, lengthAt(buffer, at));
    return { log: this.#header.log, recno: recnoAt(buffer, at), checksum };
  }

  /**
   * The last record before number `recno` and the number of the first one from there on, which is undefined where there is
   * none up to `end`, the last announced. Nothing where the log begins after it. @throws as `read`
   */
  around(recno: Recno, end: Recno): Around | undefined {
    return this.#steady(() => this.#around(recno, end));
  }

  #around(recno: Recno, end: Recno): Around | undefined {
    const header = this.#header;
    if (recno < header.firstRecno) return undefined;
    const size = sizeOf(this.fd);
    const wanted = Math.min(recno, end + 1);
    // Behind the end there may be a record that is taken back again.
    const offset = wanted > end ? this.#after(end, size) : this.#locator.find(header, wanted, size);
    if (offset === undefined) throw damaged('kml', size, `it ends before record ${wanted}`);
    const next = wanted > end ? undefined : this.#position(offset, size).recno;
    if (offset === header.firstOffset) return { before: basePosition(header), next };
    const last = this.#window.loadBackwards(offset - 4, 4);
    const length = lengthAt(this.#window.buffer, last);
    return { before: this.#position(offset - length, size), next };
  }

  /** Where the record `recno`, which is there unless the log is empty, ends. */
  #after(recno: Recno, size: number): number | undefined {
    if (recno < this.#header.firstRecno) return this.#header.firstOffset;
    const offset = this.#locator.find(this.#header, recno, size);
    if (offset === undefined) return undefined;
    return offset + lengthAt(this.#window.buffer, this.#load(offset, size));
  }

  /**
   * Where the log ends by its own account, for looking into a log when nobody announces anything. Records after the last
   * good one are ignored. @throws as `read`
   */
  tail(): Tail {
    return this.end().tail;
  }

  /** The same, with what is wrong there. Damage further back is found by who reads it. @throws as `read` */
  end(): Scan {
    return this.#steadyScan(() => {
      const size = sizeOf(this.fd);
      const tail = quickTail(this.#window, this.#header, size);
      if (tail !== undefined) return { kind: 'clean', tail };
      return scanKml(this.#window, this.#header, size);
    });
  }

  /** Checks every record, from the first to the end. @throws as `read`, but not for damage: that is the result. */
  scan(visit?: Visit): Scan {
    return this.#steadyScan(() => scanKml(this.#window, this.#header, sizeOf(this.fd), visit));
  }

  /** All that can be read, and all that cannot, of every byte of the log. @throws as `examineKml` */
  examine(): KmlFindings {
    return examineKml(this.fd);
  }

  /**
   * The records before `tail`, the last one first, as far as they are not trimmed meanwhile.
   * @throws IzoError journal-damaged; SystemError
   */
  *backwards(tail: Tail = this.tail()): Generator<DecodedRecord, void, undefined> {
    let { offset } = tail;
    while (offset > this.#header.firstOffset) {
      const window = this.#window;
      const length = lengthAt(window.buffer, window.loadBackwards(offset - 4, 4));
      const start = offset - length;
      const isPossible = length <= LIMITS.recordBytes && start >= this.#header.firstOffset;
      const at = isPossible ? window.loadBackwards(start, length) : 0;
      const decoded = isPossible
        ? decodeRecord(window.buffer, at, at + length)
        : `impossible length ${length}`;
      if (typeof decoded === 'string') {
        this.#look();
        if (offset <= this.#header.firstOffset) return;
        throw damaged('kml', start, decoded);
      }
      yield decoded;
      offset = start;
    }
  }

  /** What is being read may be trimmed meanwhile, which looks like damage: then it is read again. */
  #steady<T>(read: () => T): T {
    this.#look();
    for (;;) {
      const { firstOffset } = this.#header;
      try {
        return read();
      } catch (error) {
        this.#look();
        if (firstOffset === this.#header.firstOffset) throw error;
      }
    }
  }

  #steadyScan(scan: () => Scan): Scan {
    this.#look();
    for (;;) {
      const { firstOffset } = this.#header;
      const found = scan();
      if (found.kind === 'clean') return found;
      this.#look();
      if (firstOffset === this.#header.firstOffset) return found;
    }
  }

  /** What was read before may have changed since; the header says whether it is still the same log. */
  #look(): void {
    this.#window.forget();
    const header = readKmlHeader(this.fd);
    if (header.log !== this.#header.log) {
      throw new IzoError(
        'journal-reset',
        `The log ${formatReplicaId(this.#header.log)} was reset; it is ${formatReplicaId(header.log)} now.`,
      );
    }
    this.#header = header;
  }

  #start(from: Recno, size: number): Tail {
    const first = this.#header.firstRecno;
    if (from < first) {
      throw new IzoError(
        'journal-trimmed',
        `Record ${from} was trimmed; the log begins at ${first}.`,
      );
    }
    if (this.#cursor?.recno === from - 1) return this.#cursor;
    const offset = this.#locator.find(this.#header, from, size);
    if (offset === undefined) throw damaged('kml', size, `it ends before record ${from}`);
    if (offset === this.#header.firstOffset) {
      return { recno: from - 1, offset, checksum: this.#header.baseChecksum };
    }
    const at = this.#window.load(offset - TRAILER_BYTES, TRAILER_BYTES);
    return { recno: from - 1, offset, checksum: this.#window.buffer.readUInt32LE(at) };
  }

  #load(offset: number, size: number): number {
    return this.#window.load(offset, Math.min(LIMITS.recordBytes, Math.max(0, size - offset)));
  }

  #decode(cursor: Tail, size: number): DecodedRecord {
    const at = this.#load(cursor.offset, size);
    const { buffer, limit } = this.#window;
    const decoded = decodeRecord(buffer, at, Math.min(limit, at + size - cursor.offset));
    const fault = typeof decoded === 'string' ? decoded : chainFault(buffer, at, cursor);
    if (fault !== undefined) {
      throw damaged('kml', cursor.offset, `record ${cursor.recno + 1}, ${fault}`);
    }
    return decoded as DecodedRecord;
  }
}
