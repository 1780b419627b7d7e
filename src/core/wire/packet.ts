import { assert } from '../model/assert.js';
import { ProtocolError } from './errors.js';
import type { WireLimits } from './wire-limits.js';

/**
 * One packet: a fixed header and a payload.
 *
 *     0 magic and version   1 type   2 kind u16   4 payload length u32   8 ctoken u32   12 stoken u32
 *
 * The ctoken names the exchange at the end that asked, the stoken its session at the end that answers.
 */
export const HEADER_BYTES = 16;
/** The return code at the start of a final packet's payload. */
export const CODE_BYTES = 4;
/** The high half says izo, the low half is the version of this format. A TLS record begins with 0x14 to 0x17. */
export const MAGIC = 0xa1;

export const PacketType = {
  /** Begins an exchange. With ctoken 0 it is a notice: nobody waits for an answer. */
  REQ: 1,
  /** Ends an exchange: return code and payload. */
  REP: 2,
  /** Reserved since 2001. */
  EOR: 3,
  /** Reserved since 2001. */
  MSG: 4,
  /** Bulk data, from source to sink. */
  DAT: 5,
  /** Ends an exchange with bulk data: return code and payload. */
  EOD: 6,
  /** From sink to source: begin, or go on, for so many bytes more; 0: stop. */
  SND: 7,
} as const;

export type PacketType = (typeof PacketType)[keyof typeof PacketType];

export interface PacketHead {
  readonly type: PacketType;
  readonly kind: number;
  readonly ctoken: number;
  readonly stoken: number;
}

export interface Packet extends PacketHead {
  readonly payload: Buffer;
}

interface Header extends PacketHead {
  readonly length: number;
}

type Token = 'zero' | 'set' | 'any';

interface Rule {
  readonly ctoken: Token;
  readonly stoken: Token;
  readonly least: number;
  readonly most: (limits: WireLimits) => number;
}

const whole = (limits: WireLimits): number => limits.packetBytes - HEADER_BYTES;

/** The types that may arrive, and what their headers may say. */
const RULES = new Map<number, Rule>([
  [PacketType.REQ, { ctoken: 'any', stoken: 'zero', least: 0, most: whole }],
  [PacketType.REP, { ctoken: 'set', stoken: 'set', least: CODE_BYTES, most: whole }],
  [PacketType.DAT, { ctoken: 'set', stoken: 'set', least: 1, most: (l) => l.chunkBytes }],
  [PacketType.EOD, { ctoken: 'set', stoken: 'set', least: CODE_BYTES, most: whole }],
  [PacketType.SND, { ctoken: 'set', stoken: 'any', least: 4, most: () => 4 }],
]);

/** @returns the header's bytes for a payload of `length` bytes, with room for `extra` bytes behind them. */
export function encodeHeader(head: PacketHead, length: number, extra = 0): Buffer {
  assert(head.kind <= 0xffff && length >= 0, 'a packet header holds what it can');
  const header = Buffer.allocUnsafe(HEADER_BYTES + extra);
  header[0] = MAGIC;
  header[1] = head.type;
  header.writeUInt16LE(head.kind, 2);
  header.writeUInt32LE(length, 4);
  header.writeUInt32LE(head.ctoken, 8);
  header.writeUInt32LE(head.stoken, 12);
  return header;
}

function checkToken(name: string, value: number, rule: Token): void {
  if (rule === 'zero' ? value !== 0 : rule === 'set' && value === 0) {
    throw new ProtocolError(`a packet has the ${name} ${value}`);
  }
}

/** Reads a header and checks everything in it, before anything is allocated for its payload. */
function decodeHeader(bytes: Buffer, at: number, limits: WireLimits): Header {
  const magic = bytes.readUInt8(at);
  if (magic !== MAGIC) {
    throw new ProtocolError(`a packet begins with 0x${magic.toString(16)}: not this protocol`);
  }
  const type = bytes.readUInt8(at + 1);
  const kind = bytes.readUInt16LE(at + 2);
  const length = bytes.readUInt32LE(at + 4);
  const ctoken = bytes.readUInt32LE(at + 8);
  const stoken = bytes.readUInt32LE(at + 12);
  const rule = RULES.get(type);
  if (rule === undefined) throw new ProtocolError(`a packet has the type ${type}`);
  if (length < rule.least || length > rule.most(limits)) {
    throw new ProtocolError(`a packet of type ${type} announces ${length} bytes`);
  }
  if ((kind !== 0) !== (type === PacketType.REQ)) {
    throw new ProtocolError(`a packet of type ${type} has the kind ${kind}`);
  }
  checkToken('ctoken', ctoken, rule.ctoken);
  checkToken('stoken', stoken, rule.stoken);
  return { type: type as PacketType, kind, length, ctoken, stoken };
}

const EMPTY = Buffer.alloc(0);

/**
 * Makes packets out of the bytes as they come, in pieces of any size. Every payload byte is copied once at most: a
 * payload that arrives in one piece is a view of it, unless it would keep a much bigger piece in memory.
 */
export class PacketDecoder {
  readonly #limits: WireLimits;
  readonly #headerBytes = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  #header: Header | undefined;
  #payload: Buffer | undefined;
  #payloadFilled = 0;

  constructor(limits: WireLimits) {
    this.#limits = limits;
  }

  /** Yields the packets that `chunk` completes. Take them all, or use the decoder no more. Throws ProtocolError. */
  *push(chunk: Buffer): Generator<Packet, void> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#header === undefined) at = this.#takeHeader(chunk, at);
      // A header that ends the chunk completes its packet only if it announces nothing more.
      const header: Header | undefined = this.#header;
      if (header === undefined) return;
      if (header.length > 0) at = this.#takePayload(header, chunk, at);
      if (header.length > 0 && this.#payloadFilled < header.length) return;
      const payload = this.#payload ?? EMPTY;
      this.#header = undefined;
      this.#payload = undefined;
      this.#payloadFilled = 0;
      const { type, kind, ctoken, stoken } = header;
      yield { type, kind, ctoken, stoken, payload };
    }
  }

  #takeHeader(chunk: Buffer, at: number): number {
    if (this.#headerFilled === 0 && chunk.length - at >= HEADER_BYTES) {
      this.#header = decodeHeader(chunk, at, this.#limits);
      return at + HEADER_BYTES;
    }
    const taken = Math.min(HEADER_BYTES - this.#headerFilled, chunk.length - at);
    chunk.copy(this.#headerBytes, this.#headerFilled, at, at + taken);
    this.#headerFilled += taken;
    if (this.#headerFilled === HEADER_BYTES) {
      this.#headerFilled = 0;
      this.#header = decodeHeader(this.#headerBytes, 0, this.#limits);
    }
    return at + taken;
  }

  #takePayload(header: Header, chunk: Buffer, at: number): number {
    const taken = Math.min(header.length - this.#payloadFilled, chunk.length - at);
    if (taken === header.length && taken * 2 >= chunk.length) {
      this.#payload = chunk.subarray(at, at + taken);
    } else if (taken > 0) {
      this.#payload ??= Buffer.allocUnsafe(header.length);
      chunk.copy(this.#payload, this.#payloadFilled, at, at + taken);
    }
    this.#payloadFilled += taken;
    return at + taken;
  }
}
