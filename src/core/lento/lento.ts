import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  findKey,
  psdevName,
  readKey,
  roleOf,
  serverOf,
  type Configuration,
  type Server,
} from '../config/index.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import type { Recno } from '../model/ids.js';
import type { Channel } from '../psdev/channel.js';
import type { Frame } from '../psdev/frames.js';
import type { PrestoHello } from '../psdev/messages.js';
import { number } from '../psdev/messages.js';
import { syncedMarkerPath, type Directories } from '../system/directories.js';
import { takeLock } from '../system/lock.js';
import { Connection, type Exchange } from '../wire/connection.js';
import { E } from '../system/errno.js';
import { Kind } from '../wire/kinds.js';
import { encodeReason, readFileset } from '../wire/messages.js';
import { listen, type Listener } from '../wire/listen.js';
import type { Link } from '../wire/transport.js';
import { controlPath } from './control-client.js';
import { ControlServer } from './control-server.js';
import { errorText } from './error-text.js';
import { FilesetClient } from './fileset-client.js';
import { FilesetServer } from './fileset-server.js';
import type { LentoLog } from './log.js';
import { PsdevWatch } from './psdev-watch.js';
import { Replica } from './replica.js';
import { ServerLink } from './server-link.js';
import { collectStatus, type LentoStatus } from './status.js';

export interface LentoOptions {
  readonly config: Configuration;
  readonly directories: Directories;
  /** Plain TCP, and hosts are believed: as in 2001. */
  readonly trusted: boolean;
  readonly log: LentoLog;
}

/**
 * The cache manager: finds the mounted filesets of its psdev, connects to the servers of those that this host replicates,
 * listens for the replicators of those that it serves, and runs a replication machine for each.
 */
export class Lento {
  readonly #replicas = new Map<string, Replica>();
  readonly #servers = new Map<string, FilesetServer>();
  readonly #clients = new Map<string, FilesetClient>();
  readonly #links = new Map<string, ServerLink>();
  readonly #connections = new Map<Connection, string>();
  #watch: PsdevWatch | undefined;
  #listener: Listener | undefined;
  #control: ControlServer | undefined;

  constructor(private readonly options: LentoOptions) {}

  get #self(): string {
    return this.options.config.sysid.name;
  }

  /** Resolves when lento is ready. @throws IzoError already-running, port-in-use, no-key ... */
  async start(): Promise<void> {
    this.#lock();
    this.#checkKeys();
    await this.#listen();
    this.#dialServers();
    this.#watchPsdev();
    const { runDir } = this.options.directories;
    const path = controlPath(runDir, this.#self);
    this.#control = await ControlServer.listen(path, (kind, frame) => this.#command(kind, frame));
  }

  #lock(): void {
    const path = join(this.options.directories.runDir, `${this.#self}.lento.lock`);
    const holder = takeLock(path);
    if (holder === undefined) return;
    throw new IzoError('already-running', `lento of ${this.#self} runs already, as pid ${holder}`, {
      exit: EXIT.busy,
      place: { file: path },
      remedy: `Use that one (izo status), or end it first: kill ${holder}`,
    });
  }

  /** Which servers this host has filesets of. */
  #serversAbove(): Server[] {
    const { config } = this.options;
    const above = [...config.filesets.keys()].filter((name) => roleOf(config, name) === 'client');
    const servers = above.map((name) => serverOf(config, name));
    return [...new Map(servers.map((server) => [server.name, server])).values()];
  }

  /** A lento that could talk to nobody must say so at once and not in its log. */
  #checkKeys(): void {
    const { config, trusted } = this.options;
    if (trusted) return;
    const { configDir } = config;
    for (const server of this.#serversAbove()) {
      readKey({ configDir, client: this.#self, server: server.name, side: 'client' });
    }
    const below = new Set(
      [...config.filesets.values()]
        .filter((fileset) => fileset.servername === this.#self)
        .flatMap((fileset) => fileset.replicators),
    );
    const missing = new Map<string, IzoError>();
    for (const client of below) {
      try {
        readKey({ configDir, client, server: this.#self, side: 'server' });
      } catch (error) {
        if (!(error instanceof IzoError)) throw error;
        missing.set(client, error);
      }
    }
    const [first] = missing.values();
    if (first !== undefined && missing.size === below.size) throw first;
    for (const [client, error] of missing) {
      this.options.log.warn({ client }, `${client} cannot connect: ${error.message}`);
    }
  }

  async #listen(): Promise<void> {
    const { config, trusted, log } = this.options;
    const me = config.servers.get(this.#self);
    if (me === undefined) return;
    this.#listener = await listen({
      ...(me.bindaddr === undefined ? {} : { address: me.bindaddr }),
      port: me.port,
      host: this.#self,
      trusted,
      log,
      keyFor: ({ client, server }) => findKey({ configDir: config.configDir, client, server }),
      onConnection: (link) => this.#accepted(link),
    });
  }

  #accepted(link: Link): void {
    const { client } = link.identity;
    const { log } = this.options;
    const connection = new Connection(link.socket, { peer: client, log });
    this.#connections.set(connection, client);
    connection.onRequest((kind, payload, exchange) =>
      this.#served(client, connection, kind, payload, exchange),
    );
    log.debug({ client, from: link.from }, `connection from ${client}`);
    void connection.closed.then((reason) => {
      this.#connections.delete(connection);
      for (const server of this.#servers.values()) server.left(connection, reason);
    });
  }

  /** A client's request about a fileset of ours: it must be one that it replicates. */
  async #served(
    client: string,
    connection: Connection,
    kind: number,
    payload: Buffer,
    exchange: Exchange,
  ): Promise<void> {
    const name = readFileset(kind, payload);
    const fileset = this.options.config.filesets.get(name);
    if (fileset?.servername !== this.#self || !fileset.replicators.includes(client)) {
      const reason = `${client} is no replicator of ${name} at ${this.#self}`;
      exchange.reply(E.EACCES, encodeReason(reason));
      return;
    }
    const server = this.#servers.get(name);
    if (kind === Kind.LEAVE) server?.left(connection, 'it has unmounted the fileset');
    else if (server === undefined) {
      exchange.reply(E.ENOTCONN, encodeReason(`${name} is not mounted on ${this.#self}`));
    } else await server.handle(client, connection, kind, payload, exchange);
  }

  #dialServers(): void {
    const { config, trusted, log } = this.options;
    for (const server of this.#serversAbove()) {
      const link = new ServerLink({
        self: this.#self,
        server,
        localAddress: config.sysid.bindaddr,
        trusted,
        log,
        key: () =>
          trusted
            ? undefined
            : readKey({
                configDir: config.configDir,
                client: this.#self,
                server: server.name,
                side: 'client',
              }),
        onRequest: (kind, payload, exchange) => this.#asked(server.name, kind, payload, exchange),
        onConnected: (connection) => {
          for (const client of this.#clientsOf(server.name)) client.connected(connection);
        },
        onDisconnected: (reason) => {
          for (const client of this.#clientsOf(server.name)) client.disconnected(reason);
        },
      });
      this.#links.set(server.name, link);
      link.start();
    }
  }

  #clientsOf(server: string): FilesetClient[] {
    return [...this.#clients.values()].filter((client) => client.server === server);
  }

  /** A server's request about a fileset that we replicate from it. */
  async #asked(server: string, kind: number, payload: Buffer, exchange: Exchange): Promise<void> {
    const client = this.#clients.get(readFileset(kind, payload));
    if (client?.server !== server) exchange.reply(E.ENOTCONN, encodeReason('not mounted here'));
    else await client.handle(kind, payload, exchange);
  }

  #watchPsdev(): void {
    const { config, directories, log } = this.options;
    this.#watch = new PsdevWatch({
      directory: join(directories.runDir, psdevName(config.sysid.psdev)),
      log,
      onMounted: (hello, channel) => this.#mounted(hello, channel),
      onNotice: (fileset, kind, head) => this.#noticed(fileset, kind, head),
      onUnmounted: (fileset) => this.#unmounted(fileset),
    });
    this.#watch.start();
  }

  #mounted(hello: PrestoHello, channel: Channel): void {
    const { config, log } = this.options;
    const fileset = config.filesets.get(hello.fileset);
    const role = roleOf(config, hello.fileset);
    if (fileset === undefined || role === 'none') {
      throw new Error(`${hello.fileset} is mounted, but ${config.files.fsetdb} says nothing of it`);
    }
    const replica = new Replica(hello, channel, fileset.policy);
    this.#replicas.set(fileset.name, replica);
    log.info({ fileset: fileset.name }, `${fileset.name} is mounted at ${hello.mountPoint}`);
    if (role === 'server') {
      this.#servers.set(fileset.name, new FilesetServer(this.#self, fileset, replica, log));
      return;
    }
    const client = new FilesetClient(fileset, replica, log, () => this.#synced(fileset.name));
    this.#clients.set(fileset.name, client);
    const connection = this.#links.get(fileset.servername)?.connection;
    if (connection !== undefined) client.connected(connection);
  }

  /** The marker of 2001, by which other programs see that a fileset is in sync. */
  #synced(fileset: string): void {
    const path = syncedMarkerPath(this.options.directories.stateDir, this.#self, fileset);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, '');
    } catch (error) {
      this.options.log.warn({ path }, errorText(error));
    }
  }

  #noticed(fileset: string, kind: string, head: Readonly<Record<string, unknown>>): void {
    const machine = this.#servers.get(fileset) ?? this.#clients.get(fileset);
    if (kind === 'log') machine?.logGrew(number(head, 'recno'));
    else if (kind === 'want') machine?.wanted();
    else if (kind === 'ending') void this.#ending(fileset, number(head, 'recno'));
  }

  /** What was written until the fileset was unmounted is sent, while the server still knows that we hold the permit. */
  async #ending(fileset: string, end: Recno): Promise<void> {
    const client = this.#clients.get(fileset);
    client?.logGrew(end);
    await client?.drained().catch(() => undefined);
    this.#drop(fileset, 'the fileset was unmounted');
  }

  #unmounted(fileset: string): void {
    this.options.log.info({ fileset }, `${fileset} is unmounted`);
    this.#drop(fileset, 'the fileset was unmounted');
  }

  #drop(fileset: string, reason: string): void {
    this.#servers.get(fileset)?.close(reason);
    this.#clients.get(fileset)?.close(reason);
    this.#servers.delete(fileset);
    this.#clients.delete(fileset);
    this.#replicas.get(fileset)?.close();
    this.#replicas.delete(fileset);
  }

  async #command(kind: string, frame: Frame): Promise<Record<string, unknown>> {
    switch (kind) {
      case 'status':
        return { status: await this.status() };
      case 'sync':
        return { result: await this.#sync(String(frame.head['fileset'])) };
      default:
        throw new IzoError('unknown-command', `lento does not know ${kind}`);
    }
  }

  async #sync(fileset: string): Promise<unknown> {
    const machine = this.#servers.get(fileset) ?? this.#clients.get(fileset);
    if (machine !== undefined) return machine.sync();
    throw new IzoError('not-mounted', `${fileset} is not mounted on ${this.#self}`, {
      exit: EXIT.notRunning,
    });
  }

  status(): Promise<LentoStatus> {
    const { config, trusted } = this.options;
    const links = new Map([...this.#links].map(([name, link]) => [name, link.error]));
    return collectStatus(
      config,
      trusted,
      [...this.#servers.values(), ...this.#clients.values()],
      links,
    );
  }

  stop(): void {
    this.#watch?.stop();
    this.#listener?.close();
    for (const fileset of [...this.#replicas.keys()]) this.#drop(fileset, 'lento ends');
    for (const link of this.#links.values()) link.stop();
    for (const connection of this.#connections.keys()) connection.close('lento ends');
    this.#control?.close(controlPath(this.options.directories.runDir, this.#self));
  }
}
