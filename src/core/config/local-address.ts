import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { IzoError } from '../model/errors.js';

/**
 * The address of this host from which packets to another leave: what a client's `bindaddr` should be. Connecting a
 * UDP socket asks the routing table and sends nothing.
 * @throws IzoError `no-route`
 */
export async function localAddressTowards(address: string, port: number): Promise<string> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        resolve(socket.address().address);
      });
      // Without a callback: one would be given the error, and no event would tell of it.
      socket.connect(port, address);
    });
  } catch (cause) {
    throw new IzoError('no-route', `there is no route from this host to ${address}`, {
      remedy: 'Bring up the network, or give the address of this host with --bindaddr.',
      cause,
    });
  } finally {
    socket.close();
  }
}
