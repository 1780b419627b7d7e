import { Flags } from '@oclif/core';
import { DEFAULT_FSTAB, DEFAULT_IDFILE } from '../config/config-files.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { configDirectory, DEFAULT_CONFIG_DIRECTORY } from '../system/directories.js';

/** Flags that several commands share, so that they are spelt, described and defaulted alike. */

/** The shell makes an empty word of a variable that is not set: that must not mean the directory one is in. */
function nonEmpty(path: string): string {
  if (path !== '') return path;
  throw new IzoError('usage', 'the name of the directory is empty', {
    exit: EXIT.usage,
    remedy: 'Leave --configdir out, or name one.',
  });
}

/** Every command has it. The value is an absolute path. */
export const configdir = Flags.string({
  summary: 'directory of sysid, serverdb, fsetdb and the keys',
  env: 'IZO_CONFIG_DIR',
  helpGroup: 'GLOBAL',
  helpValue: 'DIR',
  default: async () => Promise.resolve(configDirectory()),
  // For help, and for the manifest, which must not hold the directory of whoever made it.
  defaultHelp: async () => Promise.resolve(DEFAULT_CONFIG_DIRECTORY),
  parse: async (input) => Promise.resolve(configDirectory(nonEmpty(input))),
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
