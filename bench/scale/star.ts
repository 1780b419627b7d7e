import { Host } from '../../src/core/demo/host.js';

export const FILESET = 'shared';

const SERVER = { name: 'server', address: '127.0.0.1' };
const IMAGE_SIZE = '1G';
const FIRST_ADDRESS = 2;

/** One server and its replicators on this machine, in step; without networks of their own. */
export interface Star {
  readonly server: Host;
  readonly clients: readonly Host[];
}

/** Makes them by the commands that users run. Who calls cleans up below `root`. */
export async function makeStar(
  root: string,
  replicators: number,
  imageSize = IMAGE_SIZE,
): Promise<Star> {
  const host = (name: string, address: string) =>
    new Host({ name, root, address, namespace: undefined });
  const server = host(SERVER.name, SERVER.address);
  const clients = Array.from({ length: replicators }, (_, i) =>
    host(`client${i + 1}`, `127.0.0.${FIRST_ADDRESS + i}`),
  );
  const names = clients.map(({ name }) => name).join(',');
  const { name, address } = server;
  const answers = [
    ['--sysid', `${name} psdev=/dev/intermezzo0 bindaddr=${address}`],
    ['--server', `${name} ipaddr=${address} bindaddr=${address}`],
    ['--fileset', `${FILESET} servername=${name} replicator=${names}`],
  ];
  await server.izo(['inconfig', ...answers.flat()]);
  for (const client of clients) {
    const { stdout: token } = await server.izo(['invite', client.name]);
    await client.izo(['join', '-', '--bindaddr', client.address], { input: `${token}\n` });
  }
  for (const each of [server, ...clients]) await begin(each, imageSize);
  await server.izo(['sync', '--timeout', '60']);
  return { server, clients };
}

async function begin(host: Host, imageSize: string): Promise<void> {
  await host.izo(['mkizofs', '--size', imageSize, '-v', FILESET, host.image]);
  await host.mount(FILESET);
  await host.startLento();
}

/** The process of a host's lento. */
export function lentoPid({ lento, name }: Host): number {
  if (lento?.pid === undefined) throw new Error(`the lento of ${name} does not run`);
  return lento.pid;
}
