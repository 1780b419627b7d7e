import { resolve } from 'node:path';

/** The three files, each at its path. */
export interface ConfigFiles {
  sysid: string;
  serverdb: string;
  fsetdb: string;
}

export interface ConfigurationOptions {
  /** See configDirectory in core/system/directories. */
  configDir: string;
  /** "Has to be told which sysid file to read" (HOWTO, --idfile): a name in configDir, or an absolute path. */
  idfile?: string;
}

export const DEFAULT_IDFILE = 'sysid';

export const DEFAULT_FSTAB = '/etc/fstab';

export function configFiles({
  configDir,
  idfile = DEFAULT_IDFILE,
}: ConfigurationOptions): ConfigFiles {
  return {
    sysid: resolve(configDir, idfile),
    serverdb: resolve(configDir, 'serverdb'),
    fsetdb: resolve(configDir, 'fsetdb'),
  };
}
