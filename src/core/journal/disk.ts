import { fallocate, fsync, ftruncate, pwrite } from '../system/files.js';

/** Every change that the journal makes on disk, by name, so that a test can fail exactly that one. */
export type DiskOperation =
  | 'kml.header'
  | 'kml.append'
  | 'kml.takeBack'
  | 'kml.cut'
  | 'kml.trim'
  | 'kml.sync'
  | 'lml.header'
  | 'lml.note'
  | 'lml.clear'
  | 'lastRcvd.header'
  | 'lastRcvd.set'
  | 'epochs.header'
  | 'epochs.begin'
  | 'epochs.sync'
  | 'fileset.write'
  | 'fileset.sync'
  | 'reserve.give'
  | 'reserve.refill';

/** What the journal needs of a disk. Results are those of the system calls: a count or 0, or a negated errno. */
export interface Disk {
  pwrite(
    operation: DiskOperation,
    fd: number,
    address: number,
    length: number,
    offset: number,
  ): number;
  ftruncate(operation: DiskOperation, fd: number, size: number): number;
  fsync(operation: DiskOperation, fd: number): number;
  /** Gives the bytes back to the file system; they read as zeros. The file keeps its size. */
  punchHole(operation: DiskOperation, fd: number, offset: number, length: number): number;
}

/** FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, fallocate(2). */
const PUNCH_HOLE = 3;

/** The disk that is there. */
export const realDisk: Disk = {
  pwrite: (_operation, fd, address, length, offset) => pwrite(fd, address, length, offset),
  ftruncate: (_operation, fd, size) => ftruncate(fd, size),
  fsync: (_operation, fd) => fsync(fd),
  punchHole: (_operation, fd, offset, length) => fallocate(fd, PUNCH_HOLE, offset, length),
};
