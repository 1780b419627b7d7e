import { loadConfiguration } from '../config/index.js';
import { askLogs } from '../lento/service/control-client.js';
import { IzoError } from '../model/errors.js';
import type { ReplicaId } from '../model/ids.js';
import { listMounted } from '../presto/mounting/mounted-state.js';
import type { OpenKml } from './open-kml.js';

type Hosts = ReadonlyMap<ReplicaId, string>;

/**
 * The names of hosts by the ids of their logs: what lento knows, where it runs; else only this host is known, by its log.
 * Never fails: who has no name is shown by the id.
 */
export async function hostNames(
  configDir: string,
  idfile: string,
  wanted: string | undefined,
  runDir: string,
): Promise<(log: OpenKml) => Hosts> {
  const nobody = (): Hosts => new Map();
  try {
    const { sysid } = loadConfiguration({ configDir, idfile });
    const state = listMounted(runDir).find(
      (each) =>
        wanted === undefined || [each.fileset, each.mountPoint, each.device].includes(wanted),
    );
    const logs =
      state === undefined
        ? undefined
        : await askLogs(runDir, { sysid: sysid.name, fileset: state.fileset }).catch(
            () => undefined,
          );
    return ({ reader, fileset }) =>
      logs ?? new Map(fileset === undefined ? [] : [[reader.header.log, sysid.name]]);
  } catch (error) {
    if (error instanceof IzoError) return nobody;
    throw error;
  }
}
