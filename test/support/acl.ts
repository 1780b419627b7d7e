import { getXattr, setXattr } from './xattr.js';

const TAGS = { u: [0x01, 0x02], g: [0x04, 0x08], m: [0x10, 0x10], o: [0x20, 0x20] } as const;
const NO_ID = 0xffffffff;

export const ACCESS = 'system.posix_acl_access';
export const DEFAULT = 'system.posix_acl_default';

/** `u::rwx,u:7:r--,g::r-x,m::rwx,o::---` as the kernel takes it: uapi linux/posix_acl_xattr.h. */
export function encodeAcl(text: string): Buffer {
  const entries = text.split(',').map((entry) => {
    const [kind = '', id = '', permissions = ''] = entry.split(':');
    const [own, named] = TAGS[kind as keyof typeof TAGS];
    const bytes = Buffer.alloc(8);
    bytes.writeUInt16LE(id === '' ? own : named, 0);
    bytes.writeUInt16LE(
      Number.parseInt(permissions.replace(/[rwx]/g, '1').replaceAll('-', '0'), 2),
      2,
    );
    bytes.writeUInt32LE(id === '' ? NO_ID : Number(id), 4);
    return bytes;
  });
  return Buffer.concat([Buffer.from([2, 0, 0, 0]), ...entries]);
}

export function decodeAcl(acl: Buffer): string {
  const entries: string[] = [];
  for (let at = 4; at < acl.length; at += 8) {
    const tag = acl.readUInt16LE(at);
    const kind = Object.entries(TAGS).find(([, tags]) => (tags as readonly number[]).includes(tag));
    const bits = acl.readUInt16LE(at + 2);
    const id = acl.readUInt32LE(at + 4);
    const permissions = ['r', 'w', 'x'].map((c, i) => ((bits & (4 >> i)) === 0 ? '-' : c)).join('');
    entries.push(`${kind?.[0] ?? '?'}:${id === NO_ID ? '' : id}:${permissions}`);
  }
  return entries.join(',');
}

/** @returns 0 or a negated errno */
export function setAcl(path: string, name: string, text: string): number {
  return setXattr(path, name, encodeAcl(text));
}

/** @returns the ACL in words, or a negated errno */
export function getAcl(path: string, name: string): string | number {
  const value = getXattr(path, name);
  return typeof value === 'number' ? value : decodeAcl(value);
}
