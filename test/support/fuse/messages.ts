/** A request as the kernel would send it: struct fuse_in_header and the arguments. */
export function fuseMessage(
  opcode: number,
  body: Buffer,
  { unique = 2, node = 1, uid = 0 } = {},
): Buffer {
  const head = Buffer.alloc(40);
  head.writeUInt32LE(40 + body.length, 0);
  head.writeUInt32LE(opcode, 4);
  head.writeBigUInt64LE(BigInt(unique), 8);
  head.writeBigUInt64LE(BigInt(node), 16);
  head.writeUInt32LE(uid, 24);
  return Buffer.concat([head, body]);
}

export function u32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
  return bytes;
}
