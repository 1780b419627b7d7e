import { countUnresolved } from '../../conflicts/store.js';
import { formatPosition } from '../../model/position.js';
import type { ClientContext } from './context.js';
import type { ClientLink } from './link.js';
import { SILENT_PRESTO, type FilesetStatus, type ResyncStatus } from '../status/fileset-status.js';

/** A fileset at one of its replicators as `izo status` shows it. */
export async function clientStatus(
  { replica, machine, server, keeper }: ClientContext,
  { since, error, isDiverged, flow }: ClientLink,
  resync: ResyncStatus | undefined,
): Promise<FilesetStatus> {
  const { permit, sender, link, expected } = machine.state;

  const presto = await replica.status();
  const lag = keeper.lag(server, sender?.acked);
  return {
    name: replica.fileset,
    role: 'client',
    server,
    mounted: true,
    mountPoint: replica.hello.mountPoint,
    position: formatPosition({ log: replica.id, recno: replica.end, checksum: 0 }),
    permit: {
      holder: permit.type === 'held' ? 'self' : undefined,
      waiting: permit.type === 'asked' || permit.type === 'granted' ? ['self'] : [],
      generation: permit.type === 'held' ? permit.generation : undefined,
    },
    link: isDiverged ? 'diverged' : link,
    resync,
    peers: [
      {
        name: server,
        connected: link === 'up',
        lag,
        expected,
        since: since.toISOString(),
        error,
        transfers: flow.transfers,
        stuck: flow.stuckAt(lag),
      },
    ],
    conflicts: countUnresolved(replica.hello.lowerPath, replica.fileset),
    presto,
    log: keeper.status(),
    error: presto === undefined ? SILENT_PRESTO : error,
  };
}
