import { formatPosition } from '../../model/position.js';
import { SILENT_PRESTO, type FilesetStatus, type PeerStatus } from '../status/fileset-status.js';
import type { ServerContext } from './context.js';

/** A fileset at its server as `izo status` shows it. */
export async function serverStatus(
  context: ServerContext,
  replicators: readonly string[],
): Promise<FilesetStatus> {
  const { self, replica, machine, keeper } = context;
  const { permits } = machine.state;
  const presto = await replica.status();
  return {
    name: replica.fileset,
    role: 'server',
    server: self,
    mounted: true,
    mountPoint: replica.hello.mountPoint,
    position: formatPosition({ log: replica.id, recno: replica.end, checksum: 0 }),
    permit: {
      holder: permits.holder === self ? 'self' : permits.holder,
      waiting: permits.waiting,
      generation: permits.generation,
    },
    link: 'server',
    conflicts: 0,
    peers: replicators.map((host) => peerStatus(context, host)),
    presto,
    log: keeper.status(),
    error: presto === undefined ? SILENT_PRESTO : undefined,
  };
}

function peerStatus({ machine, peers, keeper }: ServerContext, name: string): PeerStatus {
  const peer = machine.state.peers.get(name);
  const flow = peers.flow(name);
  const lag = keeper.lag(name, peer?.sender.acked);
  return {
    name,
    connected: peer !== undefined,
    lag,
    expected: peer?.expected,
    since: peers.get(name)?.since.toISOString(),
    error: keeper.verdict(name) ?? peers.errors.get(name),
    transfers: flow.transfers,
    stuck: flow.stuckAt(lag),
  };
}
