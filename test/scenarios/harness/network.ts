import { LIMITS } from '../../../src/core/model/limits.js';
import type { Cluster } from '../harness.js';
import { Clock } from './clock.js';
import type { Host } from './host.js';
import { describeMessage, Socket } from './wire.js';

/** How a client gets to a server: one connection, for all filesets that it replicates from there. */
interface Way {
  readonly from: string;
  readonly to: string;
  cut: boolean;
  client: Socket | undefined;
  server: Socket | undefined;
}

/** How many messages each way still arrive after a cut: `up` to the server, `down` to the client. */
export interface Kept {
  readonly up: number;
  readonly down: number;
}

/**
 * What the filesets of one run share: time, hosts with one lento each, and connections. Nothing happens by itself. Filesets
 * are put in before the first lento starts.
 */
export class Network {
  readonly clock = new Clock();
  readonly #clusters: Cluster[] = [];
  readonly #ways: Way[] = [];
  /** Of all connections that have not ended, also of those that only one side has given up. */
  readonly #sockets = new Set<Socket>();
  /** Hosts whose lento runs. */
  readonly #running = new Set<string>();

  constructor(readonly trace: (line: string) => void = () => undefined) {}

  add(cluster: Cluster): void {
    this.#clusters.push(cluster);
    const to = cluster.server.name;
    for (const { name: from } of cluster.clients) {
      if (this.#ways.some((way) => way.from === from && way.to === to)) continue;
      this.#ways.push({ from, to, cut: false, client: undefined, server: undefined });
    }
  }

  /** Every lento that does not run is started. */
  start(): void {
    for (const { hosts } of this.#clusters) for (const name of hosts.keys()) this.startLento(name);
  }

  /** What a host has of the filesets. */
  #replicas(name: string): Host[] {
    return this.#clusters.flatMap(({ hosts }) => hosts.get(name) ?? []);
  }

  #way(from: string, to: string): Way {
    const way = this.#ways.find((each) => each.from === from && each.to === to);
    if (way === undefined) throw new Error(`${from} is no client of ${to}`);
    return way;
  }

  startLento(name: string): void {
    if (this.#running.has(name)) return;
    this.#running.add(name);
    for (const cluster of this.#clusters) cluster.startShell(name);
    for (const way of this.#ways) if (way.from === name || way.to === name) this.#dial(way);
  }

  /** A process that ends closes its connections; what they carry still arrives. */
  killLento(name: string): void {
    this.#running.delete(name);
    for (const socket of this.#sockets) if (socket.from === name) socket.close('lento ends');
    for (const host of this.#replicas(name)) host.killLento();
    for (const way of this.#ways) {
      if (way.from === name) way.client = undefined;
      if (way.to === name) way.server = undefined;
    }
  }

  /** One presto is killed and mounted again, and lento is killed with it: what was being written is completed. */
  crash(host: Host): void {
    this.killLento(host.name);
    host.presto.crash();
  }

  /** A fileset is mounted again under a lento that has gone on meanwhile, with its connections. */
  mount(cluster: Cluster, host: Host): void {
    if (host.isMounted) return;
    host.isMounted = true;
    const { name } = host;
    if (!this.#running.has(name)) return;
    cluster.startShell(name);
    for (const { from, to, client, server } of this.#ways) {
      if (from === name && client?.open === true) cluster.connectClient(client);
      if (to === name && server?.open === true) cluster.connectServer(server);
    }
  }

  /** The power of a host fails: what it had not flushed is lost, of every fileset. */
  power(name: string): void {
    this.killLento(name);
    for (const { presto } of this.#replicas(name)) presto.power();
  }

  /** Nothing passes between these two any more, whichever of them is the client. */
  cut(client: string, server: string, kept: Kept = { up: 0, down: 0 }): void {
    for (const way of this.#between(client, server)) way.cut = true;
    for (const socket of this.#sockets) {
      if (socket.from === client && socket.to === server) socket.sever(kept.down);
      else if (socket.from === server && socket.to === client) socket.sever(kept.up);
    }
  }

  heal(one: string, other: string): void {
    for (const way of this.#between(one, other)) {
      way.cut = false;
      this.#dial(way);
    }
  }

  #between(one: string, other: string): Way[] {
    return this.#ways.filter(
      ({ from, to }) => (from === one && to === other) || (from === other && to === one),
    );
  }

  /** All lentos run, and every link is whole. */
  reunite(): void {
    this.start();
    for (const cluster of this.#clusters) {
      for (const host of cluster.hosts.values()) this.mount(cluster, host);
    }
    for (const { from, to } of this.#ways) this.heal(from, to);
  }

  /** As ServerLink does: it tries again and again. */
  #dial(way: Way): void {
    const { from, to, cut } = way;
    if (way.client !== undefined || cut) return;
    if (!this.#running.has(from) || !this.#running.has(to)) return;
    const { client, server } = Socket.pair(from, to);
    way.client = client;
    way.server = server;
    this.#sockets.add(client).add(server);
    this.trace(`${from}: connection to ${to}`);
    for (const cluster of this.#clusters) cluster.connect(client, server);
  }

  /** Ends with messages to be taken, those of older connections first. */
  inboxes(): Socket[] {
    for (const socket of this.#sockets) if (!socket.open) this.#ended(socket);
    return [...this.#sockets].filter((socket) => socket.inbox.length > 0);
  }

  /** Of several connections the oldest, or the newest. */
  inbox(from: string, to: string, age: 'oldest' | 'newest' = 'oldest'): Socket | undefined {
    const sockets = this.inboxes().filter((each) => each.to === from && each.from === to);
    return sockets.at(age === 'oldest' ? 0 : -1);
  }

  /** `count` messages arrive at an end together: their handlers are called, then what waits for them goes on. */
  deliver(socket: Socket, count: number): void {
    for (let i = 0; i < count; i++) {
      const [message] = socket.inbox;
      if (message === undefined) break;
      this.trace(`${socket.to} > ${socket.from}: ${describeMessage(message)}`);
      socket.take();
    }
    this.settle(socket.from);
    if (!socket.open) this.#ended(socket);
  }

  /** What arrived at a host so far is handled; now its continuations. */
  settle(name: string): void {
    for (const host of this.#replicas(name)) host.settle();
  }

  #ended(socket: Socket): void {
    this.#sockets.delete(socket);
    for (const way of this.#ways) {
      if (way.server === socket) way.server = undefined;
      if (way.client !== socket) continue;
      way.client = undefined;
      this.#redial(way);
    }
  }

  /** A dead end that nobody has read yet keeps its place: the attempt comes again. */
  #redial(way: Way): void {
    this.clock.after(LIMITS.reconnectFirstMs, () => {
      this.#dial(way);
      if (way.client === undefined && !way.cut) this.#redial(way);
    });
  }

  /** All psdevs empty themselves, but those of slow hosts. */
  pump(): boolean {
    let worked = false;
    for (const { hosts } of this.#clusters) {
      for (const host of hosts.values()) worked = host.pump() || worked;
    }
    return worked;
  }

  /** Everything that is under way arrives, and what comes of it. */
  run(): void {
    for (let i = 0; i < 10_000; i++) {
      const worked = this.pump();
      const [socket] = this.inboxes();
      if (socket === undefined) {
        if (!worked) return;
      } else this.deliver(socket, 1);
    }
    throw new Error('it does not come to rest');
  }

  /** Time passes; what is under way arrives in between. */
  tick(ms: number, between: () => void = () => this.run()): void {
    const until = this.clock.now + ms;
    while (this.clock.step(until)) between();
  }

  /** The two ends of a client's connection to a server, as far as they know of it. */
  ends(from: string, to: string): { readonly client?: Socket; readonly server?: Socket } {
    const { client, server } = this.#way(from, to);
    return { ...(client && { client }), ...(server && { server }) };
  }
}
