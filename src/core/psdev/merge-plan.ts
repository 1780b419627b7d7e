import { crc32 } from 'node:zlib';
import type { ObjectId, Recno, ReplicaId, Stamp } from '../model/ids.js';
import type { Time } from '../model/records.js';
import { FrameError } from './frames.js';
import { decodeItems, encodeItems, type WireItem } from './items.js';

/**
 * What lento has decided a merge to be, for presto to carry out: a file that lento writes into the stage directory, and that
 * presto keeps until all of it is done, whatever happens in between. It needs nobody else any more.
 *
 * The file: magic, u32 length of the head, the head as JSON, then frames of u8 type, u32 length and bytes, then the CRC-32
 * of all before it. Integers are little-endian.
 */
export interface MergePlan {
  readonly head: MergeHead;
  /** What is done to the tree, in this order. */
  readonly steps: readonly MergeStep[];
  /** Encoded records that take the place of the pending ones in this host's log. */
  readonly amendments: readonly Buffer[];
}

export interface MergeHead {
  readonly peer: ReplicaId;
  /** What to expect of the peer's log afterwards, and the checksum of the record before that. */
  readonly next: Recno;
  readonly checksum: number;
  /** The first record of this host's log that the peer does not have: void from there on. */
  readonly replaces: Recno;
  /** The end of this host's log, which the plan is made for. */
  readonly end: Recno;
  /** Directories in the stage that belong into the conflict store. */
  readonly conflicts: readonly string[];
}

export type MergeStep =
  /** A record with its contents, not logged. */
  | { readonly type: 'apply'; readonly item: WireItem }
  /** Gives what is at `path` another identity; `bare`: and takes its extended attributes away. */
  | {
      readonly type: 'identity';
      readonly path: string;
      readonly object: ObjectId;
      readonly content: Stamp;
      readonly attributes: Stamp;
      readonly bare: boolean;
    }
  /** Sets the time of modification. */
  | { readonly type: 'touch'; readonly path: string; readonly time: Time };

const MAGIC = Buffer.from('izoMERG\n', 'latin1');
const TYPE = { apply: 1, identity: 2, touch: 3, amendment: 4 } as const;
const FRAME_HEAD_BYTES = 5;
const CRC_BYTES = 4;

/** Writes a plan piece by piece: one of a large tree would take much memory. */
export class MergePlanWriter {
  #crc = 0;

  /** @param write puts bytes behind those before */
  constructor(
    private readonly write: (bytes: Buffer) => void,
    head: MergeHead,
  ) {
    const json = Buffer.from(JSON.stringify(head), 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    this.#put([MAGIC, length, json]);
  }

  step(step: MergeStep): void {
    this.#put(encodeStep(step));
  }

  amendment(record: Buffer): void {
    this.#put(frame(TYPE.amendment, [record]));
  }

  /** Without this nobody takes it for a plan. */
  finish(): void {
    const crc = Buffer.alloc(CRC_BYTES);
    crc.writeUInt32LE(this.#crc);
    this.write(crc);
  }

  #put(parts: readonly Buffer[]): void {
    for (const part of parts) {
      this.#crc = crc32(part, this.#crc);
      this.write(part);
    }
  }
}

export function encodeMergePlan({ head, steps, amendments }: MergePlan): Buffer {
  const parts: Buffer[] = [];
  const writer = new MergePlanWriter((bytes) => parts.push(bytes), head);
  for (const step of steps) writer.step(step);
  for (const record of amendments) writer.amendment(record);
  writer.finish();
  return Buffer.concat(parts);
}

function encodeStep(step: MergeStep): Buffer[] {
  if (step.type === 'apply') return frame(TYPE.apply, encodeItems([step.item]));
  return frame(TYPE[step.type], [Buffer.from(JSON.stringify(step), 'utf8')]);
}

function frame(type: number, parts: readonly Buffer[]): Buffer[] {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head[0] = type;
  head.writeUInt32LE(
    parts.reduce((sum, part) => sum + part.length, 0),
    1,
  );
  return [head, ...parts];
}

/** @throws FrameError for a file that is none, or not whole */
export function decodeMergePlan(bytes: Buffer): MergePlan {
  const end = bytes.length - CRC_BYTES;
  const whole =
    end >= MAGIC.length + 4 &&
    bytes.subarray(0, MAGIC.length).equals(MAGIC) &&
    crc32(bytes.subarray(0, end)) === bytes.readUInt32LE(end);
  if (!whole) throw new FrameError('a merge plan that is not whole');
  const headLength = bytes.readUInt32LE(MAGIC.length);
  let at = MAGIC.length + 4 + headLength;
  if (at > end) throw new FrameError('a merge plan whose head is too long');
  const head = JSON.parse(bytes.toString('utf8', MAGIC.length + 4, at)) as MergeHead;
  if (!head.conflicts.every((name) => /^[0-9a-z-]+$/.test(name))) {
    throw new FrameError('a name in the conflict store that is none');
  }
  const steps: MergeStep[] = [];
  const amendments: Buffer[] = [];
  while (at < end) {
    const type = bytes[at];
    const length = end - at < FRAME_HEAD_BYTES ? Infinity : bytes.readUInt32LE(at + 1);
    at += FRAME_HEAD_BYTES;
    if (length > end - at) throw new FrameError('a merge plan that ends too early');
    const payload = bytes.subarray(at, at + length);
    if (type === TYPE.amendment) amendments.push(payload);
    else steps.push(decodeStep(type, payload));
    at += length;
  }
  return { head, steps, amendments };
}

function decodeStep(type: number | undefined, payload: Buffer): MergeStep {
  if (type === TYPE.apply) {
    const [item] = decodeItems(payload);
    if (item === undefined) throw new FrameError('a step without its record');
    return { type: 'apply', item };
  }
  if (type !== TYPE.identity && type !== TYPE.touch) throw new FrameError('a step of no type');
  return JSON.parse(payload.toString('utf8')) as MergeStep;
}
