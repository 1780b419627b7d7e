import { crc32 } from 'node:zlib';

/**
 * Integers that Node's Buffer has no fast call for. All little-endian. Numbers up to 2^53 are stored in 8 bytes (the sign
 * in the upper half), replica ids in 6 bytes and two that are 0, so that every field stays aligned.
 */
const TWO32 = 2 ** 32;

/** 0 to 2^53 - 1. */
export function putU53(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32LE(value % TWO32, at);
  buffer.writeUInt32LE(Math.floor(value / TWO32), at + 4);
}

/** @returns a number beyond 2^53 where the bytes say so: callers check with Number.isSafeInteger. */
export function getU53(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at + 4) * TWO32 + buffer.readUInt32LE(at);
}

/** -(2^53 - 1) to 2^53 - 1, two's complement. */
export function putI53(buffer: Buffer, value: number, at: number): void {
  const high = Math.floor(value / TWO32);
  buffer.writeUInt32LE(value - high * TWO32, at);
  buffer.writeInt32LE(high, at + 4);
}

export function getI53(buffer: Buffer, at: number): number {
  return buffer.readInt32LE(at + 4) * TWO32 + buffer.readUInt32LE(at);
}

/** CRC-32 as zlib, Ethernet and PNG have it, of bytes `from` up to `to`. */
export function checksumOf(buffer: Buffer, from: number, to: number): number {
  return crc32(buffer.subarray(from, to));
}

/** Puts the checksum of the `length` bytes before it at the end of a slot or header that starts at `at`. */
export function seal(buffer: Buffer, at: number, length: number): void {
  buffer.writeUInt32LE(checksumOf(buffer, at, at + length - 4), at + length - 4);
}

/** True where a slot or header of `length` bytes carries the checksum that `seal` gave it. */
export function isSealed(buffer: Buffer, at: number, length: number): boolean {
  return checksumOf(buffer, at, at + length - 4) === buffer.readUInt32LE(at + length - 4);
}
