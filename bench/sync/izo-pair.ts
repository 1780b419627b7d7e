import { rmSync } from 'node:fs';
import { FILESET, makeTwoHosts, type TwoHosts } from '../../src/core/demo/demo.js';

import { wireBytes, type Pair } from './pair.js';

/** Room for the largest file twice: a new version is whole before the old one goes. */
const IMAGE_SIZE = '4G';

/** A server and a replicator, connected: what the server writes comes out at the replicator. */
export async function izoPair(): Promise<(Pair & { hosts: TwoHosts }) | undefined> {
  const hosts = await makeTwoHosts(() => undefined, IMAGE_SIZE);
  const { cable, client } = hosts;
  if (cable === undefined) {
    await hosts.end();
    return undefined;
  }
  await hosts.server.izo(['sync', '--timeout', '60']);
  return {
    ...{ name: 'izo', hosts, twoWay: true },
    left: hosts.server.mountPoint,
    right: client.mountPoint,
    forget: async () => {
      await client.stopLento();
      await client.izo(['umountizo', client.mountPoint]);
      rmSync(client.image);
      await client.izo(['mkizofs', '--size', IMAGE_SIZE, '-v', FILESET, client.image]);
      await client.mount(FILESET);
    },
    begin: () => client.startLento(),
    wire: () => wireBytes(cable),
    end: () => hosts.end(),
  };
}
