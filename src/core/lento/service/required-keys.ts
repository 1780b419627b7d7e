import { readKey, roleOf, serverOf, type Configuration, type Server } from '../../config/index.js';
import { IzoError } from '../../model/errors.js';
import type { LentoLog } from '../log.js';

/** The servers of the filesets that this host replicates. */
export function serversAbove(config: Configuration): Server[] {
  const above = [...config.filesets.keys()].filter((name) => roleOf(config, name) === 'client');
  const servers = above.map((name) => serverOf(config, name));
  return [...new Map(servers.map((server) => [server.name, server])).values()];
}

/**
 * A lento that could talk to nobody must say so at once and not in its log: it needs the keys of its servers, and that
 * of at least one of its replicators.
 * @throws IzoError no-key, ...
 */
export function requireKeys(config: Configuration, log: LentoLog): void {
  const { configDir } = config;
  const self = config.sysid.name;
  for (const server of serversAbove(config)) {
    readKey({ configDir, client: self, server: server.name, side: 'client' });
  }
  const below = new Set(
    [...config.filesets.values()]
      .filter((fileset) => fileset.servername === self)
      .flatMap((fileset) => fileset.replicators),
  );
  const missing = new Map<string, IzoError>();
  for (const client of below) {
    try {
      readKey({ configDir, client, server: self, side: 'server' });
    } catch (error) {
      if (!(error instanceof IzoError)) throw error;
      missing.set(client, error);
    }
  }
  const [first] = missing.values();
  if (first !== undefined && missing.size === below.size) throw first;
  for (const [client, error] of missing) {
    log.warn({ client }, `${client} cannot connect: ${error.message}`);
  }
}
