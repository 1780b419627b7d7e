import { LIMITS } from '../model/limits.js';

/**
 * Frames on a local socket: u32 length of what follows, u32 length of the head, the head as JSON, then bytes. Both ends are
 * root's processes on this host; what they say is checked all the same.
 */
export interface Frame {
  readonly head: Readonly<Record<string, unknown>>;
  readonly data: Buffer;
}

const PREFIX_BYTES = 8;

export class FrameError extends Error {
  constructor(reason: string) {
    super(`the other end of the local socket breaks the rules: ${reason}`);
    this.name = 'FrameError';
  }
}

/** The parts of a frame, to be written one after the other. */
export function encodeFrame(head: Record<string, unknown>, data: readonly Buffer[]): Buffer[] {
  const json = Buffer.from(JSON.stringify(head), 'utf8');
  const dataBytes = data.reduce((sum, part) => sum + part.length, 0);
  const length = 4 + json.length + dataBytes;
  if (length > LIMITS.frameBytes) throw new RangeError(`a frame of ${length} bytes is too long`);
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix.writeUInt32LE(length, 0);
  prefix.writeUInt32LE(json.length, 4);
  return [prefix, json, ...data];
}

/** Cuts a stream of bytes into frames. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #wanted = 4;

  /** @throws FrameError where the stream is none of ours. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= this.#wanted) {
      const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
      if (all === undefined) return;
      const length = all.readUInt32LE(0);
      if (length < 4 || length > LIMITS.frameBytes)
        throw new FrameError(`frame of ${length} bytes`);
      this.#wanted = 4 + length;
      this.#chunks = [all];
      if (all.length < this.#wanted) return;
      const frame = decode(all.subarray(4, this.#wanted));
      const rest = all.subarray(this.#wanted);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#bytes = rest.length;
      this.#wanted = 4;
      yield frame;
    }
  }
}

function decode(bytes: Buffer): Frame {
  const headLength = bytes.readUInt32LE(0);
  if (headLength > bytes.length - 4) throw new FrameError('head longer than its frame');
  let head: unknown;
  try {
    head = JSON.parse(bytes.toString('utf8', 4, 4 + headLength));
  } catch {
    throw new FrameError('head is not JSON');
  }
  if (typeof head !== 'object' || head === null || Array.isArray(head)) {
    throw new FrameError('head is not an object');
  }
  return { head: head as Record<string, unknown>, data: bytes.subarray(4 + headLength) };
}
