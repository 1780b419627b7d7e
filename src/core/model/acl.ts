/**
 * POSIX ACLs as Linux hands them over in extended attributes (uapi linux/posix_acl_xattr.h): u32 version 2, then entries of
 * u16 tag, u16 permissions, u32 id; little-endian.
 */
export const ACCESS_ACL = 'system.posix_acl_access';
export const DEFAULT_ACL = 'system.posix_acl_default';

const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const USER_OBJ = 0x01;
const GROUP_OBJ = 0x04;
const MASK = 0x10;
const OTHER = 0x20;

/**
 * The permission bits that a default ACL, the first `length` bytes of `acl`, leaves to new objects: it takes the umask's
 * place (acl(5), "object creation and default ACLs"). What it leaves of a mode it leaves of the result again, so a lower
 * file system that makes the object with the resulting mode comes to the same ACL and mode as with the one asked for.
 */
export function bitsOfDefaultAcl(acl: Buffer, length: number): number {
  let owner = 0;
  let group = 0;
  let mask: number | undefined;
  let other = 0;
  for (let at = HEADER_BYTES; at + ENTRY_BYTES <= length; at += ENTRY_BYTES) {
    const permissions = acl.readUInt16LE(at + 2) & 7;
    switch (acl.readUInt16LE(at)) {
      case USER_OBJ:
        owner = permissions;
        break;
      case GROUP_OBJ:
        group = permissions;
        break;
      case MASK:
        mask = permissions;
        break;
      case OTHER:
        other = permissions;
        break;
      default: // Of named users and groups: theirs is limited by the mask.
    }
  }
  return (owner << 6) | ((mask ?? group) << 3) | other;
}
