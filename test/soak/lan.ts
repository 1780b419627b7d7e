import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { startJanitor } from '../../src/core/demo/demo.js';
import { Host } from '../../src/core/demo/host.js';
import { run } from '../../src/core/system/processes.js';

export const FILESET = 'shared';
const SERVER = 'muskox';
const BRIDGE = 'br0';
/** What a network interface may be called. */
const TAG_LENGTH = 4;

/** Not halfway, be there a Ctrl-C. */
async function ip(...args: string[]): Promise<void> {
  await run('ip', args, { detached: true });
}

interface Port {
  readonly namespace: string;
  /** The host's interface, in its namespace. */
  readonly link: string;
  /** The other end, at the bridge. */
  readonly plug: string;
}

/** A server and its clients, each in a network namespace of its own, joined by a bridge; with one fileset, mounted by all. */
export class Lan {
  private constructor(
    /** Everything that the hosts have on disk is below it. */
    readonly root: string,
    /** The server is the first. */
    readonly hosts: readonly Host[],
    private readonly ports: readonly Port[],
    private readonly bridge: string,
    private readonly janitor: ChildProcess,
  ) {}

  /** @param imageSize of each cache, as mkizofs takes it */
  static async make(clients: number, imageSize: string): Promise<Lan> {
    const root = mkdtempSync(join(tmpdir(), 'izo-soak-'));
    const tag = root
      .slice(-TAG_LENGTH)
      .toLowerCase()
      .replace(/[^a-z0-9]/g, 'x');
    const bridge = `izo-${tag}-bridge`;
    const names = [SERVER, ...Array.from({ length: clients }, (_, i) => `client${i + 1}`)];
    const ports = names.map((_, i) => ({
      namespace: `izo-${tag}-${i}`,
      link: `iz${tag}h${i}`,
      plug: `iz${tag}p${i}`,
    }));
    const janitor = startJanitor(root, [...ports.map(({ namespace }) => namespace), bridge]);
    const hosts = names.map(
      (name, i) => new Host({ name, root, address: addressOf(i), namespace: ports[i]?.namespace }),
    );
    const lan = new Lan(root, hosts, ports, bridge, janitor);
    try {
      await lan.#lay();
      await lan.#setUp(imageSize);
    } catch (error) {
      await lan.end();
      throw error;
    }
    return lan;
  }

  get server(): Host {
    return this.hosts[0] as Host;
  }

  get clients(): readonly Host[] {
    return this.hosts.slice(1);
  }

  async #lay(): Promise<void> {
    await ip('netns', 'add', this.bridge);
    await ip('-n', this.bridge, 'link', 'add', BRIDGE, 'type', 'bridge');
    await ip('-n', this.bridge, 'link', 'set', BRIDGE, 'up');
    for (const [i, { namespace, link, plug }] of this.ports.entries()) {
      await ip('netns', 'add', namespace);
      await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', plug);
      await ip('link', 'set', link, 'netns', namespace);
      await ip('link', 'set', plug, 'netns', this.bridge);
      await ip('-n', this.bridge, 'link', 'set', plug, 'master', BRIDGE, 'up');
      const inside = (...args: string[]) => ip('-n', namespace, ...args);
      await inside('address', 'add', `${addressOf(i)}/24`, 'dev', link);
      await inside('link', 'set', link, 'up');
      await inside('link', 'set', 'lo', 'up');
    }
  }

  async #setUp(imageSize: string): Promise<void> {
    const { server, clients } = this;
    writeConfiguration(server, clients);
    for (const host of this.hosts) {
      await host.izo(['mkizofs', '--size', imageSize, '-v', FILESET, host.image]);
    }
    for (const client of clients) {
      const { stdout: token } = await server.izo(['invite', client.name]);
      await client.izo(['join', '-', '--bindaddr', client.address], { input: `${token}\n` });
    }
    await Promise.all(this.hosts.map((host) => host.mount(FILESET)));
    await Promise.all(this.hosts.map((host) => host.startLento()));
  }

  /**
   * Cuts a host off, or plugs it in again. `link`: its own interface is down, so that it notices at once; `plug`: what it
   * sends is lost.
   */
  async setLink(host: Host, end: 'link' | 'plug', state: 'up' | 'down'): Promise<void> {
    const port = this.ports[this.hosts.indexOf(host)] as Port;
    const namespace = end === 'link' ? port.namespace : this.bridge;
    await run('ip', ['-n', namespace, 'link', 'set', port[end], state]);
  }

  /** Takes everything away again, in whatever state it is. */
  async end(): Promise<void> {
    if (this.janitor.exitCode !== null) return;
    this.janitor.stdin?.end();
    await once(this.janitor, 'exit');
  }

  /** What is left of the hosts after end(): nothing, one hopes. A line each. */
  async leftovers(): Promise<string[]> {
    const { root, ports, bridge } = this;
    const linesWithRoot = (what: string, text: string): string[] =>
      text.split('\n').flatMap((line) => (line.includes(root) ? [`${what} ${line}`] : []));
    const { stdout: loops } = await run('losetup', ['--all']);
    return [
      ...(existsSync(root) ? [`directory ${root}`] : []),
      ...linesWithRoot('mount', readFileSync('/proc/mounts', 'utf8')),
      ...linesWithRoot('loop device', loops),
      ...[bridge, ...ports.map(({ namespace }) => namespace)]
        .filter((name) => existsSync(`/run/netns/${name}`))
        .map((name) => `namespace ${name}`),
    ];
  }
}

function addressOf(index: number): string {
  return `10.24.0.${index + 1}`;
}

/** What the server has; `join` writes what the clients have. */
function writeConfiguration(server: Host, clients: readonly Host[]): void {
  const { name, address, configDir } = server;
  const write = (file: string, text: string): void => {
    writeFileSync(join(configDir, file), `${text}\n`);
  };
  write('sysid', `<sysid name="${name}" psdev="/dev/intermezzo0" bindaddr="${address}" />`);
  write(
    'serverdb',
    `<serverdb>\n  <server name="${name}" ipaddr="${address}" bindaddr="${address}" />\n</serverdb>`,
  );
  const replicators = clients.map((client) => `    <replicator>${client.name}</replicator>\n`);
  write(
    'fsetdb',
    `<fsetdb>\n  <fileset name="${FILESET}" servername="${name}">\n${replicators.join('')}  </fileset>\n</fsetdb>`,
  );
}
