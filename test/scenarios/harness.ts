import type { PaperTree } from '../support/paper/tree.js';
import { ClientShell } from './harness/client-shell.js';
import type { Contents } from './harness/contents.js';
import { Host, type Plant, type World } from './harness/host.js';
import type { Network } from './harness/network.js';
import { ServerShell } from './harness/server-shell.js';
import type { Socket } from './harness/wire.js';

export interface ClusterOptions {
  readonly network: Network;
  /** Its name, where there are several. */
  readonly fileset?: string;
  /** The first one serves the fileset. */
  readonly hosts: readonly string[];
  readonly batchSize?: number;
  readonly plant?: Plant | undefined;
  /** Where updates are to be more than names: what those of that host are about. */
  readonly contents?: (host: string) => Contents;
}

/**
 * One fileset in memory, on the hosts of a network: the machines of src/core/replication, shells that carry out their effects
 * as those of src/core/lento do, and prestos that are lists of updates.
 */
export class Cluster {
  readonly network: Network;
  readonly fileset: string;
  readonly hosts = new Map<string, Host>();
  readonly server: Host;
  readonly clients: readonly Host[];
  readonly #world: World;

  constructor({ network, fileset = '', hosts, batchSize = 3, plant, contents }: ClusterOptions) {
    this.network = network;
    this.fileset = fileset;
    const [serverName = 'S', ...clientNames] = hosts;
    const label = fileset === '' ? '' : `${fileset}: `;
    this.#world = {
      ...{ clock: network.clock, batchSize, serverName, plant },
      ...{ contents, serverTree: this.#serverTree },
      trace: (line) => network.trace(label + line),
    };
    const make = (name: string): Host => {
      const host = new Host(name, this.#world);
      this.hosts.set(name, host);
      return host;
    };
    this.server = make(serverName);
    this.clients = clientNames.map(make);
    network.add(this);
  }

  readonly #serverTree = (client: string, session: number): PaperTree | undefined => {
    const { serverShell, server } = this;
    const isThere = serverShell?.peers.get(client)?.session === session;
    const isStill = server.presto.gate === 'absent';
    return isThere && isStill ? server.presto.contents?.tree.copy() : undefined;
  };

  host(name: string): Host {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }

  get serverShell(): ServerShell | undefined {
    const { shell } = this.server;
    return shell instanceof ServerShell ? shell : undefined;
  }

  clientShell(host: Host): ClientShell | undefined {
    return host.shell instanceof ClientShell ? host.shell : undefined;
  }

  /** The lento of a host starts: what it does for this fileset, if the host has that. */
  startShell(name: string): void {
    const host = this.hosts.get(name);
    if (host?.isMounted !== true) return;
    host.slow = false;
    host.startLento((psdev) =>
      host === this.server
        ? new ServerShell(host, psdev, this.#world)
        : new ClientShell(host, psdev, this.#world),
    );
  }

  /** A connection is there. It is used for this fileset, if that is replicated between its ends. */
  connect(client: Socket, server: Socket): void {
    this.connectServer(server);
    this.connectClient(client);
  }

  connectServer(socket: Socket): void {
    const { name, later } = this.server;
    if (socket.from !== name || !this.hosts.has(socket.to)) return;
    const end = socket.end(this.fileset, later);
    this.serverShell?.accept(end);
  }

  connectClient(socket: Socket): void {
    const host = this.hosts.get(socket.from);
    if (host === undefined || socket.to !== this.server.name) return;
    const end = socket.end(this.fileset, host.later);
    this.clientShell(host)?.connected(end);
  }

  /** The link between a client and the server is gone. `kept`: how many messages each way still arrive. */
  cut(host: Host, kept = { up: 0, down: 0 }): void {
    this.network.cut(host.name, this.server.name, kept);
  }

  heal(host: Host): void {
    this.network.heal(host.name, this.server.name);
  }

  /** Whether the server and this client count each other as connected, over one sound connection. */
  isConnected(host: Host): boolean {
    const { client, server } = this.network.ends(host.name, this.server.name);
    const peer = this.serverShell?.peers.get(host.name);
    return (
      client?.whole === true &&
      server?.whole === true &&
      peer?.end.socket === server &&
      this.clientShell(host)?.connection?.socket === client
    );
  }
}
