import { assert } from '../model/assert.js';
import type { Recno } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import type { Position } from '../model/position.js';
import { Opcode, type JournalRecord, type RecordBody } from '../model/records.js';
import { E, must } from '../system/errno.js';
import { pread } from '../system/files.js';
import { Memory } from '../system/native.js';
import { realDisk, type Disk } from './disk.js';
import { FileWindow } from './file-window.js';
import { putKmlHeader, readKmlHeader, writeKmlHeader, type KmlHeader } from './kml-header.js';
import { quickTail, scanKml, startOf, type Scan, type Tail, type Visit } from './kml-scan.js';
import { TRIM_BYTES, trimmable, type TrimRules } from './kml-trim.js';
import { damaged, HEADER_BYTES, sizeOf } from './log-file.js';
import type { Reserve } from './reserve.js';
import { keepTorn } from './torn.js';
import {
  decodeRecord,
  encodeRecord,
  type DecodedRecord,
  type NewRecordHead,
} from './record-codec.js';
import { checksumAt } from './record-frame.js';

/** How many numbers are made durable at a time, before they are given away: each time costs a sync. */
const LEASE = 2 ** 20;

/** What the log has beside it, in the fileset's directory. */
interface Around {
  readonly reserve?: Reserve;
  /** Its descriptor: what is cut off is kept there. */
  readonly directory?: number;
  readonly onScan?: Visit;
}

/**
 * The modification log as its one writer sees it. A record is one pwrite(2) at the end; nothing is synced unless asked.
 * Everything is synchronous: the caller's event loop is the order of the log.
 */
export class Kml {
  readonly #memory = new Memory(LIMITS.recordBytes);
  #offset: number;
  #recno: Recno;
  #checksum: number;
  /** Numbers up to this one were given away before the log was opened, also those of records that a crash has lost. */
  readonly #spent: Recno;
  /** The end before the last append, while that append can be taken back; the same numbers otherwise. */
  #before: Tail;
  /** Bytes may stand after the end which are none of the log's: an append or a truncation has failed half-way. */
  #untidy = false;

  private constructor(
    readonly fd: number,
    private current: KmlHeader,
    /** What was found when the log was opened; a torn tail has been cut off since. */
    readonly found: Scan,
    private readonly disk: Disk,
    private readonly reserve: Reserve | undefined,
  ) {
    const { tail } = found;
    this.#offset = tail.offset;
    this.#recno = tail.recno;
    this.#checksum = tail.checksum;
    this.#before = tail;
    this.#spent = current.leased;
  }

  /**
   * Takes over an open file with a header. Reads no more than its end, unless that is not as it should be.
   * @throws IzoError journal-damaged, journal-version; SystemError
   */
  static open(fd: number, disk: Disk = realDisk, around: Around = {}): Kml {
    const header = readKmlHeader(fd);
    const size = sizeOf(fd);
    const window = new FileWindow(fd);
    const quick = quickTail(window, header, size);
    const found: Scan =
      quick === undefined
        ? scanKml(window, header, size, around.onScan)
        : { kind: 'clean', tail: quick };
    if (found.kind === 'damaged') throw damaged('kml', found.tail.offset, found.reason);
    if (found.kind === 'torn-tail') {
      if (around.directory !== undefined) keepTorn(around.directory, fd, found);
      must('kml.cut', disk.ftruncate('kml.cut', fd, found.tail.offset));
    }
    return new Kml(fd, header, found, disk, around.reserve);
  }

  get header(): KmlHeader {
    return this.current;
  }

  /** The number that the next record will have: none that a peer may know from before a crash. */
  get next(): Recno {
    return Math.max(this.#recno, this.#spent) + 1;
  }

  /** The position after the last record. */
  get end(): Position {
    return { log: this.header.log, recno: this.#recno, checksum: this.#checksum };
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#offset;
  }

  /**
   * Writes a record at the end; on a full disk, that of a removal at the cost of the reserve. @returns its number, or a
   * negated errno (ENOSPC, EIO, and those of encodeRecord): then the log is as before.
   */
  append(head: NewRecordHead, body: RecordBody): Recno {
    const removes = body.op === Opcode.UNLINK || body.op === Opcode.RMDIR;
    let recno = this.#append(head, body);
    while (removes && recno === -E.ENOSPC && this.reserve?.give() === true) {
      recno = this.#append(head, body);
    }
    // There is room again, or still.
    if (!removes && recno > 0) this.reserve?.refill();
    return recno;
  }

  #append(head: NewRecordHead, body: RecordBody): Recno {
    const tidy = this.#tidy();
    if (tidy < 0) return tidy;
    const { buffer, address } = this.#memory;
    const recno = this.next;
    const leased = recno > this.current.leased ? this.#lease(recno + LEASE) : 0;
    if (leased < 0) return leased;
    const length = encodeRecord(buffer, 0, recno, this.#checksum, head, body);
    if (length < 0) return length;
    const written = this.disk.pwrite('kml.append', this.fd, address, length, this.#offset);
    if (written !== length) {
      this.#untidy = true;
      this.#tidy();
      // A short write is what a full disk gives first; the error itself would come with the next.
      return written < 0 ? written : -E.ENOSPC;
    }
    this.#before = { offset: this.#offset, recno: this.#recno, checksum: this.#checksum };
    this.#offset += length;
    this.#recno = recno;
    this.#checksum = checksumAt(buffer, 0, length);
    return recno;
  }

  /** Numbers up to `upto` may be given away from now on. */
  #lease(upto: Recno): number {
    const header = { ...this.current, leased: upto };
    const written = putKmlHeader(this.disk, this.fd, header);
    const synced = written < 0 ? written : this.sync();
    if (synced === 0) this.current = header;
    return synced;
  }

  /**
   * The log is not written to any more: what it has is durable, and no number is lost. @returns 0 or a negated errno: then
   * the next one to open it leaves numbers out, as after a crash.
   */
  release(): number {
    const synced = this.sync();
    return synced < 0 || this.current.leased < this.next ? synced : this.#lease(this.next - 1);
  }

  /**
   * Removes the record that `append` has just written, because its operation failed. Its number will be given again, so
   * nobody may have been told of it. Where the file cannot be truncated now, that is tried again before the next append.
   */
  takeBack(): void {
    assert(this.#before.offset < this.#offset, 'only the last record can be taken back, once');
    this.#offset = this.#before.offset;
    this.#recno = this.#before.recno;
    this.#checksum = this.#before.checksum;
    this.#untidy = true;
    this.#tidy();
  }

  /**
   * Removes the last record of a log just opened: mount-time recovery has found that its operation never happened, and that
   * it cannot be done now. @throws IzoError journal-damaged
   */
  dropLast(): void {
    const last = this.#readLast();
    assert(last !== undefined, 'there is a last record');
    const { recno, checksum } = { recno: this.#recno - 1, checksum: last.previous };
    this.#before = { offset: this.#offset - last.length, recno, checksum };
    this.takeBack();
  }

  #tidy(): number {
    if (!this.#untidy) return 0;
    const result = this.disk.ftruncate('kml.takeBack', this.fd, this.#offset);
    if (result >= 0) this.#untidy = false;
    return result;
  }

  /** The last record; undefined where there is none, or none any more. Reads it from the file. @throws IzoError */
  lastRecord(): JournalRecord | undefined {
    return this.#readLast()?.record;
  }

  #readLast(): DecodedRecord | undefined {
    if (this.#recno < this.header.firstRecno) return undefined;
    const { buffer, address } = this.#memory;
    const from = Math.max(this.header.firstOffset, this.#offset - LIMITS.recordBytes);
    const length = must('pread', pread(this.fd, address, this.#offset - from, from), 'kml');
    const at = length - buffer.readUInt32LE(length - 4);
    const decoded = at < 0 ? 'impossible length' : decodeRecord(buffer, at, length);
    if (typeof decoded === 'string') throw damaged('kml', from + at, decoded);
    return decoded;
  }

  /**
   * Forgets records from the beginning on that `rules` let go, some megabytes at a time; numbers go on as before. Their
   * place on the disk is given back where the file system can do that.
   * @returns whether there may be more to forget
   * @throws IzoError journal-damaged; SystemError: then the log is as before
   */
  trim(rules: TrimRules): boolean {
    const { header } = this;
    const from = startOf(header);
    const to = trimmable(new FileWindow(this.fd), from, this.#offset, rules);
    if (to.offset - from.offset < Math.max(1, rules.least)) return false;
    const { recno, offset: firstOffset, checksum: baseChecksum } = to;
    const trimmed = { ...header, firstRecno: recno + 1, firstOffset, baseChecksum };
    writeKmlHeader(this.disk, this.fd, trimmed);
    this.current = trimmed;
    // Nothing before `firstOffset` is read any more, so it does not matter whether this succeeds. What is left of it by
    // a crash in between goes with the next.
    this.disk.punchHole('kml.trim', this.fd, HEADER_BYTES, firstOffset - HEADER_BYTES);
    return firstOffset - from.offset >= TRIM_BYTES;
  }

  /** Makes all records, and with them the operations that they tell of, durable. @returns 0 or a negated errno. */
  sync(): number {
    return this.disk.fsync('kml.sync', this.fd);
  }
}
