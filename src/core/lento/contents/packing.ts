import { promisify } from 'node:util';
import { constants, deflateRaw, inflateRaw } from 'node:zlib';
import { LIMITS } from '../../model/limits.js';
import { ProtocolError } from '../../wire/errors.js';
import { PIECE_HEAD_BYTES, putPieceHead, type Piece } from '../../wire/messages.js';

const deflate = promisify<Buffer, { level: number }, Buffer>(deflateRaw);
const inflate = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflateRaw);

const LEVEL = { level: constants.Z_BEST_SPEED };
const LIMIT = { maxOutputLength: LIMITS.chunkBytes };

/** The piece compressed, or as it is where that would not make it smaller. */
export async function packPiece(piece: Buffer): Promise<Buffer> {
  const data = await deflate(piece.subarray(PIECE_HEAD_BYTES), LEVEL);
  if (PIECE_HEAD_BYTES + data.length >= piece.length) return piece;
  const packed = Buffer.allocUnsafe(PIECE_HEAD_BYTES + data.length);
  const offset = piece.readUIntLE(0, 6) + (piece[6] ?? 0) * 2 ** 48;
  putPieceHead(packed, offset, true);
  data.copy(packed, PIECE_HEAD_BYTES);
  return packed;
}

/** The piece as it was before it was compressed. @throws ProtocolError where that is not what it is */
export async function unpackPiece({ offset, data }: Piece): Promise<Piece> {
  try {
    return { offset, packed: false, data: await inflate(data, LIMIT) };
  } catch (error) {
    throw new ProtocolError(`a piece that cannot be unpacked: ${(error as Error).message}`);
  }
}
