import { Flags } from '@oclif/core';
import { DEFAULT_FSTAB, DEFAULT_IDFILE } from '../config/config-files.js';
import { configDirectory, DEFAULT_CONFIG_DIRECTORY } from '../system/directories.js';

/** Flags that several commands share, so that they are spelt, described and defaulted alike. */

/** Every command has it. The value is an absolute path. */
export const configdir = Flags.string({
  summary: 'directory of sysid, serverdb, fsetdb and the keys',
  env: 'IZO_CONFIG_DIR',
  helpGroup: 'GLOBAL',
  helpValue: 'DIR',
  default: async () => Promise.resolve(configDirectory()),
  // For help, and for the manifest, which must not hold the directory of whoever made it.
  defaultHelp: async () => Promise.resolve(DEFAULT_CONFIG_DIRECTORY),
  parse: async (input) => Promise.resolve(configDirectory(input)),
});

/** "Has to be told which sysid file to read" (HOWTO): for commands that act as this host. */
export const idfile = Flags.string({
  summary: 'the sysid file: its name in the configuration directory, or an absolute path',
  helpValue: 'FILE',
  default: DEFAULT_IDFILE,
});

/** For commands that look at the lines of mounts, or write them. */
export const fstab = Flags.string({
  summary: 'the file that lists the mounts of this host',
  env: 'IZO_FSTAB',
  helpValue: 'FILE',
  default: DEFAULT_FSTAB,
});
