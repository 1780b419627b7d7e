import { createServer } from 'node:net';
import type { Survey } from '../survey.js';
import type { PortFacts } from '../facts.js';

/** Whether somebody listens there, found by listening for a moment. An address that is not here tells nothing. */
async function probePort(address: string, port: number): Promise<PortFacts['state']> {
  const server = createServer();
  try {
    return await new Promise((resolve) => {
      server.once('error', ({ code }: NodeJS.ErrnoException) => {
        resolve(code === 'EADDRINUSE' ? 'taken' : 'unknown');
      });
      server.listen({ host: address, port, exclusive: true }, () => resolve('free'));
    });
  } finally {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
}

/** The ports at which lentos of this host are to listen. A lento that runs is left alone. */
export async function probePorts(
  { servers, sysids }: Survey,
  running: ReadonlySet<string>,
): Promise<PortFacts[]> {
  const found: PortFacts[] = [];
  for (const { name: server, bindaddr: address = '::', port } of servers) {
    if (!sysids.some(({ name }) => name === server) || running.has(server)) continue;
    found.push({ server, address, port, state: await probePort(address, port) });
  }
  return found;
}
