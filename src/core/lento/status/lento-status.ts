import { roleOf, type Configuration } from '../../config/index.js';
import type { FilesetStatus } from './fileset-status.js';

/** What `izo status` shows. */
export interface LentoStatus {
  readonly sysid: string;
  readonly pid: number;
  /** Plain TCP: said in every status. */
  readonly trustedNetwork: boolean;
  readonly filesets: readonly FilesetStatus[];
}

interface HasStatus {
  readonly name: string;
  status(): Promise<FilesetStatus>;
}

/** `errors`: by server, why there is no connection to it. */
export async function collectStatus(
  config: Configuration,
  trustedNetwork: boolean,
  mounted: readonly HasStatus[],
  errors: ReadonlyMap<string, string>,
): Promise<LentoStatus> {
  const filesets: FilesetStatus[] = [];
  for (const fileset of config.filesets.values()) {
    const role = roleOf(config, fileset.name);
    if (role === 'none') continue;
    const machine = mounted.find(({ name }) => name === fileset.name);
    const server = fileset.servername;
    const error = role === 'client' ? errors.get(server) : undefined;
    const status =
      machine === undefined ? unmounted(fileset.name, role, server) : await machine.status();
    const down = status.role === 'client' && status.link === 'down' && status.error === undefined;
    filesets.push(down ? { ...status, error } : status);
  }
  return { sysid: config.sysid.name, pid: process.pid, trustedNetwork, filesets };
}

function unmounted(name: string, role: 'server' | 'client', server: string): FilesetStatus {
  return {
    name,
    role,
    server,
    mounted: false,
    mountPoint: undefined,
    position: undefined,
    permit: { holder: undefined, waiting: [], generation: undefined },
    link: 'down',
    peers: [],
    conflicts: 0,
    presto: undefined,
    log: undefined,
    error: 'not mounted',
  };
}
