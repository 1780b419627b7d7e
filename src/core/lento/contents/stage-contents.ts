import { open, rm, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Range } from '../../model/records.js';
import { LIMITS } from '../../model/limits.js';
import { writeAll } from '../../system/write-all.js';
import { ConnectionLost, ProtocolError } from '../../wire/errors.js';
import {
  decodeFetchTrailer,
  decodePiece,
  PIECE_HEAD_BYTES,
  putPieceHead,
  type Piece,
} from '../../wire/messages.js';
import { ContentPieces, WINDOW_BYTES } from './pieces.js';
import { unpackPiece } from './packing.js';

const ZEROS = Buffer.alloc(LIMITS.chunkBytes);

/** Pieces on their way; what came last, once they have ended. */
export interface Pieces extends AsyncIterable<Buffer> {
  readonly trailer: Buffer;
}

/** What is fetched, and where to. */
export interface Wanted {
  readonly path: string;
  /** Of the whole contents. */
  readonly size: number;
  /** The parts that are fetched. */
  readonly ranges: readonly Range[];
  /** Begins the transfer, of what is from that offset on. */
  readonly fetch: (from: number) => Pieces;
  /** Hears how far it is. */
  readonly onProgress?: (position: number, bytes: number) => void;
}

/**
 * Fetches contents into a file. Where the connection is lost it stays, also when this process ends, and the next attempt
 * goes on where it stopped; the checksum is of all of it.
 * @returns the file, open. @throws ConnectionLost, FetchFailed, ProtocolError; and what the file could not be written for
 */
export async function stageContents(wanted: Wanted): Promise<FileHandle> {
  const file = await openStaged(wanted.path);
  try {
    await fill(file, wanted);
    return file;
  } catch (error) {
    await file.close();
    if (!(error instanceof ConnectionLost)) await rm(wanted.path, { force: true });
    throw error;
  }
}

async function openStaged(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return open(path, 'wx+', 0o600);
  }
}

async function fill(file: FileHandle, wanted: Wanted): Promise<void> {
  const { size, ranges, fetch, onProgress } = wanted;
  const { size: there } = await file.stat();
  // The last piece may be there in part. What has come to its end has no other end than that.
  const from = Math.floor(Math.min(there, size) / WINDOW_BYTES) * WINDOW_BYTES;
  await file.truncate(from);
  let checksum = await checksumOf(file, ranges, from);
  let end = from;
  onProgress?.(end, 0);
  const fetching = fetch(from);
  for await (const payload of fetching) {
    const piece = decodePiece(payload);
    const { offset, data } = piece.packed ? await unpackPiece(piece) : piece;
    if (offset < end) throw new ProtocolError('pieces of contents in disorder');
    end = offset + data.length;
    if (end > size) throw new ProtocolError('more contents than the record says');
    checksum = piece.packed
      ? crc32(data, crc32(headOf(piece), checksum))
      : crc32(payload, checksum);
    if (!data.equals(ZEROS.subarray(0, data.length))) {
      await writeAll(file, data, offset);
    }
    onProgress?.(end, payload.length);
  }
  await file.truncate(size);
  const trailer = decodeFetchTrailer(fetching.trailer);
  if (trailer.size !== size || trailer.checksum !== checksum) {
    throw new ProtocolError('the contents do not have the size and checksum that were sent');
  }
}

function headOf({ offset }: Piece): Buffer {
  const head = Buffer.alloc(PIECE_HEAD_BYTES);
  putPieceHead(head, offset, false);
  return head;
}

/** The checksum of the pieces of the first `end` bytes. */
async function checksumOf(
  file: FileHandle,
  ranges: readonly Range[],
  end: number,
): Promise<number> {
  const parts = ranges
    .filter(({ offset }) => offset < end)
    .map(({ offset, length }) => ({ offset, length: Math.min(length, end - offset) }));
  let checksum = 0;
  for (const piece of new ContentPieces().of(file.fd, parts)) {
    checksum = crc32(piece, checksum);
    await new Promise((resume) => setImmediate(resume));
  }
  return checksum;
}
