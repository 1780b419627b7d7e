import { basename } from 'node:path';

/** The programs of 2001, and those mount(8) and umount(8) look for: links to bin/izo.js by these names are commands. */
export const OLD_NAMES = new Map([
  ['mkizofs', 'mkizofs'],
  ['umountizo', 'umountizo'],
  ['config_check', 'config-check'],
  ['config-check', 'config-check'],
  ['inconfig', 'inconfig'],
  ['lento', 'lento'],
  ['lento.pl', 'lento'],
  ['mount.InterMezzo', 'mount-helper'],
  ['mount.intermezzo', 'mount-helper'],
  ['mount.izo', 'mount-helper'],
  ['mount.fuse.InterMezzo', 'mount-helper'],
  ['umount.fuse.InterMezzo', 'umount-helper'],
  ['umount.fuse.izo', 'umount-helper'],
]);

/** The arguments of `izo` for a program called as `calledAs` with `args`. */
export function argumentsFor(calledAs: string, args: string[]): string[] {
  const command = OLD_NAMES.get(basename(calledAs));
  // `mkizofs --version` asks for the version of izo: oclif knows that flag only in the first place.
  if (command === undefined || args[0] === '--version') return args;
  return [command, ...args];
}
