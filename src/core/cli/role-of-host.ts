import { loadConfiguration, roleOf } from '../config/index.js';
import { IzoError } from '../model/errors.js';
import { configDirectory } from '../system/directories.js';

/** What the configuration says of a fileset on this host, where there is one that can be read. */
export interface HostRole {
  readonly role: 'server' | 'client' | 'unknown';
  readonly sysid: string | undefined;
}

export function configFacts(configDir: string, idfile: string, fileset: string): HostRole {
  try {
    const config = loadConfiguration({ configDir: configDirectory(configDir), idfile });
    const role = roleOf(config, fileset);
    return { role: role === 'none' ? 'unknown' : role, sysid: config.sysid.name };
  } catch (error) {
    if (error instanceof IzoError) return { role: 'unknown', sysid: undefined };
    throw error;
  }
}
