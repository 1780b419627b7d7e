import { LIMITS } from '../../src/core/model/limits.js';
import type { PaperTree } from '../support/paper/tree.js';
import { ClientShell } from './harness/client-shell.js';
import type { Contents } from './harness/contents.js';
import { Clock } from './harness/clock.js';
import { Host, type Plant, type World } from './harness/host.js';
import { ServerShell } from './harness/server-shell.js';
import { describeMessage, End } from './harness/wire.js';

export interface ClusterOptions {
  /** The first one serves the fileset. */
  readonly hosts: readonly string[];
  readonly batchSize?: number;
  readonly trace?: (line: string) => void;
  readonly plant?: Plant | undefined;
  /** Where updates are to be more than names: what those of that host are about. */
  readonly contents?: (host: string) => Contents;
}

/** A host's way to the server. */
interface Way {
  cut: boolean;
  client: End | undefined;
  server: End | undefined;
}

/**
 * The hosts of one fileset in memory: the machines of src/core/replication, shells that carry out their effects as those
 * of src/core/lento do, and prestos that are lists of updates. Nothing happens by itself.
 */
export class Cluster {
  readonly clock = new Clock();
  readonly hosts = new Map<string, Host>();
  readonly server: Host;
  readonly clients: readonly Host[];
  readonly #ways = new Map<string, Way>();
  /** Of all connections that have not ended, also of those that only one side has given up. */
  readonly #ends = new Set<End>();
  readonly #world: World;

  constructor({ hosts, batchSize = 3, trace = () => undefined, plant, contents }: ClusterOptions) {
    const [serverName = 'S', ...clientNames] = hosts;
    const serverTree = this.#serverTree;
    this.#world = {
      ...{ clock: this.clock, trace, batchSize, serverName, plant },
      ...{ contents, serverTree },
    };
    const make = (name: string): Host => {
      const host = new Host(name, this.#world);
      this.hosts.set(name, host);
      return host;
    };
    this.server = make(serverName);
    this.clients = clientNames.map(make);
    for (const name of clientNames) {
      this.#ways.set(name, { cut: false, client: undefined, server: undefined });
    }
    for (const host of this.hosts.values()) this.startLento(host);
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

  #way(name: string): Way {
    const way = this.#ways.get(name);
    if (way === undefined) throw new Error(`${name} is no client`);
    return way;
  }

  get serverShell(): ServerShell | undefined {
    const { shell } = this.server;
    return shell instanceof ServerShell ? shell : undefined;
  }

  clientShell(host: Host): ClientShell | undefined {
    return host.shell instanceof ClientShell ? host.shell : undefined;
  }

  startLento(host: Host): void {
    if (host.shell !== undefined) return;
    host.slow = false;
    const isServer = host === this.server;
    host.startLento((psdev) =>
      isServer
        ? new ServerShell(host, psdev, this.#world)
        : new ClientShell(host, psdev, this.#world),
    );
    if (isServer) for (const client of this.clients) this.#dial(client);
    else this.#dial(host);
  }

  /** A process that ends closes its connections; what they carry still arrives. */
  killLento(host: Host): void {
    host.killLento();
    if (host !== this.server) {
      const way = this.#way(host.name);
      way.client = undefined;
    } else for (const way of this.#ways.values()) way.server = undefined;
  }

  /** presto is killed and mounted again, and lento with it: what was being written is completed. */
  crash(host: Host): void {
    this.killLento(host);
    host.presto.crash();
  }

  /** The power of a host fails: what it had not flushed is lost. */
  power(host: Host): void {
    this.killLento(host);
    host.presto.power();
  }

  /** The network to `host` is gone. `kept`: how many messages each way still arrive. */
  cut(host: Host, kept = { up: 0, down: 0 }): void {
    const way = this.#way(host.name);
    way.cut = true;
    for (const end of this.#ends) {
      if (end.from === host.name) end.sever(kept.down);
      else if (end.to === host.name) end.sever(kept.up);
    }
  }

  heal(host: Host): void {
    this.#way(host.name).cut = false;
    this.#dial(host);
  }

  /** As ServerLink does: it tries again and again. */
  #dial(host: Host): void {
    const way = this.#way(host.name);
    const client = this.clientShell(host);
    if (way.client !== undefined || client === undefined) return;
    const { serverShell } = this;
    if (way.cut || serverShell === undefined) return;
    const ends = End.pair(host, this.server);
    way.client = ends.client;
    way.server = ends.server;
    this.#ends.add(ends.client).add(ends.server);
    this.#world.trace(`${host.name}: connection to ${this.server.name}`);
    serverShell.accept(ends.server);
    client.connected(ends.client);
  }

  /** Ends with messages to be taken, those of older connections first. */
  inboxes(): End[] {
    for (const end of this.#ends) if (!end.open) this.#ended(end);
    return [...this.#ends].filter((end) => end.inbox.length > 0);
  }

  /** Of several connections the oldest, or the newest. */
  inbox(from: string, to: string, age: 'oldest' | 'newest' = 'oldest'): End | undefined {
    const ends = this.inboxes().filter((end) => end.to === from && end.from === to);
    return ends.at(age === 'oldest' ? 0 : -1);
  }

  /** `count` messages arrive at an end together: their handlers are called, then what waits for them goes on. */
  deliver(end: End, count: number): void {
    const host = this.host(end.from);
    for (let i = 0; i < count; i++) {
      const [message] = end.inbox;
      if (message === undefined) break;
      this.#world.trace(`${end.to} > ${end.from}: ${describeMessage(message)}`);
      end.take();
    }
    host.settle();
    if (!end.open) this.#ended(end);
  }

  #ended(end: End): void {
    this.#ends.delete(end);
    const client = end.from === this.server.name ? end.to : end.from;
    const way = this.#way(client);
    if (way.server === end) way.server = undefined;
    if (way.client !== end) return;
    way.client = undefined;
    this.clock.after(LIMITS.reconnectFirstMs, () => this.#redial(this.host(client)));
  }

  /** A dead end that nobody has read yet keeps its place: the attempt comes again. */
  #redial(host: Host): void {
    this.#dial(host);
    const way = this.#way(host.name);
    if (way.client === undefined && !way.cut) {
      this.clock.after(LIMITS.reconnectFirstMs, () => this.#redial(host));
    }
  }

  /** All psdevs empty themselves, but those of slow hosts. */
  pump(): boolean {
    let worked = false;
    for (const host of this.hosts.values()) worked = host.pump() || worked;
    return worked;
  }

  /** Everything that is under way arrives, and what comes of it. */
  run(): void {
    for (let i = 0; i < 10_000; i++) {
      const worked = this.pump();
      const [end] = this.inboxes();
      if (end === undefined) {
        if (!worked) return;
      } else this.deliver(end, 1);
    }
    throw new Error('it does not come to rest');
  }

  /** Time passes; what is under way arrives in between. */
  tick(ms: number, between: () => void = () => this.run()): void {
    const until = this.clock.now + ms;
    while (this.clock.step(until)) between();
  }

  /** Whether the server and this client count each other as connected, over one sound connection. */
  isConnected(host: Host): boolean {
    const { client, server } = this.#way(host.name);
    const peer = this.serverShell?.peers.get(host.name);
    return (
      client?.whole === true &&
      server?.whole === true &&
      peer?.end === server &&
      this.clientShell(host)?.connection === client
    );
  }
}
