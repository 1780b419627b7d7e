import { join, resolve } from 'node:path';

/**
 * Where izo's files are. The defaults are those of the HOWTO of 2001 ("Your default config directory is
 * /etc/intermezzo"; "/var/intermezzo/SYSID/FSETNAME-synced"); an environment variable moves each, and a flag of a
 * command, handed in as `override`, wins over both. The result is always absolute, because daemons change directory.
 */
export const DEFAULT_CONFIG_DIRECTORY = '/etc/intermezzo';
export const DEFAULT_RUN_DIRECTORY = '/run/intermezzo';
export const DEFAULT_STATE_DIRECTORY = '/var/intermezzo';

type Environment = Readonly<Record<string, string | undefined>>;

function chosen(
  override: string | undefined,
  fromEnvironment: string | undefined,
  byDefault: string,
): string {
  // An empty variable counts as unset, as for every XDG-like variable: `IZO_RUN_DIR= izo lento` must not mean `.`.
  return resolve(override ?? (fromEnvironment === '' ? undefined : fromEnvironment) ?? byDefault);
}

/** The directory of sysid, serverdb, fsetdb and keys: IZO_CONFIG_DIR or /etc/intermezzo. */
export function configDirectory(override?: string, env: Environment = process.env): string {
  return chosen(override, env['IZO_CONFIG_DIR'], DEFAULT_CONFIG_DIRECTORY);
}

/** The directory of sockets and locks, empty after a boot: IZO_RUN_DIR or /run/intermezzo. */
export function runDirectory(override?: string, env: Environment = process.env): string {
  return chosen(override, env['IZO_RUN_DIR'], DEFAULT_RUN_DIRECTORY);
}

/** The directory of what a host remembers outside its caches: IZO_STATE_DIR or /var/intermezzo. */
export function stateDirectory(override?: string, env: Environment = process.env): string {
  return chosen(override, env['IZO_STATE_DIR'], DEFAULT_STATE_DIRECTORY);
}

export interface Directories {
  configDir: string;
  runDir: string;
  stateDir: string;
}

/** All three at once, each with its own override. */
export function directories(
  overrides: Partial<Directories> = {},
  env: Environment = process.env,
): Directories {
  return {
    configDir: configDirectory(overrides.configDir, env),
    runDir: runDirectory(overrides.runDir, env),
    stateDir: stateDirectory(overrides.stateDir, env),
  };
}

/** The marker that a fileset is in sync, as the HOWTO's manual recovery touches it. */
export function syncedMarkerPath(stateDir: string, sysidName: string, fileset: string): string {
  return join(stateDir, sysidName, `${fileset}-synced`);
}
