import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { PROGRAM } from '../system/package.js';
import { Host } from './host.js';
import { layCable, type Cable } from './namespaces.js';

/** The command that cleans up when its standard input ends: see startJanitor. */
export const JANITOR_COMMAND = 'demo-janitor';

export const FILESET = 'shared';
const IMAGE_SIZE = '1G';

/** Two hosts on this machine with one fileset, ready for use. */
export interface TwoHosts {
  readonly server: Host;
  readonly client: Host;
  /** Everything that they have on disk is below it. */
  readonly root: string;
  /** Undefined where this machine does not allow hosts networks of their own. */
  readonly cable: Cable | undefined;
  /** Takes everything away again. */
  end(): Promise<void>;
}

/**
 * Makes a server and a client as in the first configuration of the HOWTO, by the commands that a user runs.
 * @param say is told of each step
 */
export async function makeTwoHosts(
  say: (line: string) => void,
  imageSize = IMAGE_SIZE,
): Promise<TwoHosts> {
  const root = mkdtempSync(join(tmpdir(), 'izo-demo-'));
  const tag = root
    .slice(-4)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, 'x');
  const names = [`izo-${tag}-a`, `izo-${tag}-b`];
  const janitor = startJanitor(root, names);
  const end = async (): Promise<void> => {
    if (janitor.exitCode !== null) return;
    janitor.stdin?.end();
    await once(janitor, 'exit');
  };
  try {
    const cable = await layCable(tag);
    const [server, client] = makeHosts(root, cable);
    await setUp(server, client, imageSize, say);
    return { server, client, root, cable, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/**
 * Whatever way this process ends, also by kill -9, the janitor's standard input ends with it; then it cleans up. It is in
 * a session of its own, so that Ctrl-C does not reach it.
 */
export function startJanitor(root: string, namespaces: readonly string[]): ChildProcess {
  return spawn(process.execPath, [PROGRAM, JANITOR_COMMAND, root, ...namespaces], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
}

function makeHosts(root: string, cable: Cable | undefined): [Host, Host] {
  const addresses = cable?.addresses ?? (['127.0.0.1', '127.0.0.2'] as const);
  const host = (name: string, side: 0 | 1) =>
    new Host({ name, root, address: addresses[side], namespace: cable?.namespaces[side] });
  return [host('muskox', 0), host('clientA', 1)];
}

async function setUp(
  server: Host,
  client: Host,
  imageSize: string,
  say: (line: string) => void,
): Promise<void> {
  writeConfiguration(server, client.name);
  for (const host of [server, client]) {
    await host.izo(['mkizofs', '--size', imageSize, '-v', FILESET, host.image]);
  }
  say(`mkizofs   a cache of ${imageSize} on ${server.name} and on ${client.name}`);
  const { stdout: token } = await server.izo(['invite', client.name]);
  await client.izo(['join', '-', '--bindaddr', client.address], { input: `${token}\n` });
  say(`invite    ${server.name} made a key; join: ${client.name} took it`);
  for (const host of [server, client]) await host.mount(FILESET);
  say(`mount     ${server.mountPoint} and ${client.mountPoint}`);
  for (const host of [server, client]) await host.startLento();
  say(`lento     on both, talking TLS 1.3 with that key`);
}

/** The files of the HOWTO's first configuration, as they are on the server; `join` writes the client's. */
function writeConfiguration(server: Host, client: string): void {
  const { name, address, configDir } = server;
  const write = (file: string, text: string) => writeFileSync(join(configDir, file), `${text}\n`);
  write('sysid', `<sysid name="${name}" psdev="/dev/intermezzo0" bindaddr="${address}" />`);
  write(
    'serverdb',
    `<serverdb>\n  <server name="${name}" ipaddr="${address}" bindaddr="${address}" />\n</serverdb>`,
  );
  write(
    'fsetdb',
    `<fsetdb>\n  <fileset name="${FILESET}" servername="${name}">\n    <replicator>${client}</replicator>\n  </fileset>\n</fsetdb>`,
  );
}
