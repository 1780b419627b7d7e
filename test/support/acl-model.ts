import { S_IFLNK, S_IFMT } from '../../src/core/system/attr.js';
import { ACCESS, DEFAULT } from './acl.js';

/** As much of an object as ACLs have to do with. Attributes are bytes, held one a character. */
interface WithAcls {
  mode: number;
  readonly children: unknown;
  readonly xattrs: Map<string, string>;
}

/** The entries' tags with the bits of a mode that stand for them, where there is a mask and where there is none. */
const SHIFTS: Record<number, number> = { 0x01: 6, 0x10: 3, 0x20: 0 };
const GROUP_OBJ = 0x04;
const MASK = 0x10;

/** Calls back with each entry that stands for bits of the mode, and where these are. */
function forModeEntries(acl: Buffer, use: (at: number, shift: number) => void): void {
  const starts = Array.from({ length: (acl.length - 4) / 8 }, (_, i) => 4 + 8 * i);
  const group = starts.some((at) => acl.readUInt16LE(at) === MASK) ? MASK : GROUP_OBJ;
  for (const at of starts) {
    const tag = acl.readUInt16LE(at);
    const shift = tag === group ? 3 : tag === MASK ? undefined : SHIFTS[tag];
    if (shift !== undefined) use(at + 2, shift);
  }
}

/** The ACLs that a new object gets from its directory, with the mode that it has. */
export function inheritAcls(parent: WithAcls, node: WithAcls): void {
  const given = parent.xattrs.get(DEFAULT);
  if (given === undefined || (node.mode & S_IFMT) === S_IFLNK) return;
  const acl = Buffer.from(given, 'latin1');
  forModeEntries(acl, (at, shift) => {
    acl.writeUInt16LE((node.mode >> shift) & 7, at);
  });
  keep(node, acl);
  if (node.children !== undefined) node.xattrs.set(DEFAULT, given);
}

/** An ACL of three entries is a mode. */
function keep(node: WithAcls, acl: Buffer): void {
  if (acl.length > 28) node.xattrs.set(ACCESS, acl.toString('latin1'));
  else node.xattrs.delete(ACCESS);
}

/** A new mode: the ACL has its part in it. */
export function changeMode(node: WithAcls, permissions: number): void {
  node.mode = (node.mode & ~0o7777) | permissions;
  const value = node.xattrs.get(ACCESS);
  if (value === undefined) return;
  const acl = Buffer.from(value, 'latin1');
  forModeEntries(acl, (at, shift) => acl.writeUInt16LE((permissions >> shift) & 7, at));
  keep(node, acl);
}

/** A new access ACL: the mode has its part in it. */
export function changeAcl(node: WithAcls, value: Buffer): void {
  forModeEntries(value, (at, shift) => {
    node.mode = (node.mode & ~(7 << shift)) | (value.readUInt16LE(at) << shift);
  });
  keep(node, value);
}
