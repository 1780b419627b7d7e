/**
 * The names that may stand in the options of a mount. What is ours is checked; what belongs to mount(8), systemd or
 * FUSE is accepted, because fstab lines carry it for them; everything else is refused, because a misspelt option of
 * ours must not be lost silently.
 */

/** Ours, as in the HOWTO's fstab lines, and `binding`, `upcall` and `debuglevel`. */
export const OWN_OPTIONS = [
  'loop',
  'fileset',
  'prestodev',
  'mtpt',
  'cache_type',
  'binding',
  'upcall',
  'debuglevel',
  'ro',
  'rw',
  'remount',
] as const;

export type OwnOption = (typeof OWN_OPTIONS)[number];

const FOREIGN = new Set([
  // mount(8), file-system-independent options
  ...['defaults', 'auto', 'noauto', 'user', 'nouser', 'users', 'owner', 'noowner', 'group'],
  ...['nogroup', 'suid', 'nosuid', 'dev', 'nodev', 'exec', 'noexec', 'async', 'sync', 'dirsync'],
  ...['atime', 'noatime', 'diratime', 'nodiratime', 'relatime', 'norelatime', 'strictatime'],
  ...['nostrictatime', 'lazytime', 'nolazytime', 'iversion', 'noiversion', 'mand', 'nomand'],
  ...['silent', 'loud', '_netdev', 'nofail', 'bind', 'rbind', 'private', 'rprivate', 'shared'],
  ...['rshared', 'slave', 'rslave', 'unbindable', 'runbindable', 'nosymfollow', 'symfollow'],
  ...['comment', 'uhelper', 'helper', 'offset', 'sizelimit', 'encryption', 'context'],
  ...['fscontext', 'defcontext', 'rootcontext', 'acl', 'noacl', 'user_xattr', 'nouser_xattr'],
  // mount.fuse(8)
  ...['allow_other', 'allow_root', 'default_permissions', 'max_read', 'blksize', 'fsname'],
  ...['subtype', 'fd', 'rootmode', 'user_id', 'group_id'],
]);

/** Options for other programs: `x-systemd.automount`, `X-mount.mkdir`. */
export function isForeignOption(name: string): boolean {
  return FOREIGN.has(name) || name.startsWith('x-') || name.startsWith('X-');
}

export function isOwnOption(name: string): name is OwnOption {
  return (OWN_OPTIONS as readonly string[]).includes(name);
}
