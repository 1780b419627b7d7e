import { FrameError } from './frames.js';

/** What a downcall `apply` carries for each record: the record's bytes and where its contents are. */
export interface WireItem {
  readonly record: Buffer;
  readonly content: 'none' | 'inline' | 'staged' | 'patch';
  /** Inline: the contents. Staged: the file's name in the stage directory. Patch: likewise; see patch.ts. */
  readonly data: Buffer;
}

const CONTENT = ['none', 'inline', 'staged', 'patch'] as const;
const HEAD_BYTES = 9;

/** u32 record length, u8 content, u32 data length; record; data. Little-endian, one item after the other. */
export function encodeItems(items: readonly WireItem[]): Buffer[] {
  return items.flatMap((item) => {
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    head.writeUInt32LE(item.record.length, 0);
    head[4] = CONTENT.indexOf(item.content);
    head.writeUInt32LE(item.data.length, 5);
    return [head, item.record, item.data];
  });
}

/** @throws FrameError */
export function decodeItems(bytes: Buffer): WireItem[] {
  const items: WireItem[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < HEAD_BYTES) throw new FrameError('an item ends too early');
    const recordLength = bytes.readUInt32LE(at);
    const content = CONTENT[bytes[at + 4] ?? 255];
    const dataLength = bytes.readUInt32LE(at + 5);
    at += HEAD_BYTES;
    if (content === undefined || recordLength + dataLength > bytes.length - at) {
      throw new FrameError('an item that cannot be');
    }
    items.push({
      record: bytes.subarray(at, at + recordLength),
      content,
      data: bytes.subarray(at + recordLength, at + recordLength + dataLength),
    });
    at += recordLength + dataLength;
  }
  return items;
}
