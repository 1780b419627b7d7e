import { join } from 'node:path';
import { findKey, psdevName, type Configuration } from '../config/index.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { ControlServer } from '../psdev/control-server.js';
import { answerDebug } from '../psdev/debug.js';
import type { Frame } from '../psdev/frames.js';
import type { Directories } from '../system/directories.js';
import { takeLock } from '../system/lock.js';
import type { DebugLevel } from '../system/log.js';
import { Connection, type Exchange } from '../wire/connection.js';
import { E } from '../system/errno.js';
import { Kind } from '../wire/kinds.js';
import { encodeReason, readFileset } from '../wire/messages.js';
import { answerAbout } from './about.js';
import { listen, type Listener } from '../wire/listen.js';
import type { Link } from '../wire/transport.js';
import { compareConfigurations, type ConfigChange } from './service/config-changes.js';
import { controlPath } from './service/control-client.js';
import type { LentoLog } from './log.js';
import type { FilesetClient } from './client/fileset.js';
import type { FilesetServer } from './server/fileset.js';
import { MountedFilesets } from './service/mounted-filesets.js';
import { PsdevWatch } from './service/psdev-watch.js';
import { requireKeys, serversAbove } from './service/required-keys.js';
import { ServerLinks } from './client/connections.js';
import { collectStatus, type LentoStatus } from './status/lento-status.js';
import { verifyCommand } from './verify/command.js';

export interface LentoOptions {
  readonly config: Configuration;
  readonly directories: Directories;
  /** Plain TCP, and hosts are believed: as in 2001. */
  readonly trusted: boolean;
  readonly log: LentoLog;
  /** How much of it there is. */
  readonly debug: DebugLevel;
}

/**
 * The cache manager: finds the mounted filesets of its psdev, connects to the servers of those that this host replicates,
 * listens for the replicators of those that it serves, and runs a replication machine for each.
 */
export class Lento {
  readonly #filesets: MountedFilesets;
  readonly #links: ServerLinks;
  readonly #connections = new Map<Connection, string>();
  #watch: PsdevWatch | undefined;
  #listener: Listener | undefined;
  #control: ControlServer | undefined;
  #config: Configuration;

  constructor(private readonly options: LentoOptions) {
    const { config, directories, trusted, log } = options;
    this.#config = config;
    this.#links = new ServerLinks({
      self: config.sysid.name,
      configDir: config.configDir,
      localAddress: config.sysid.bindaddr,
      trusted,
      log,
      onRequest: (server, ...request) => this.#asked(server, ...request),
      onConnected: (server, connection) => {
        for (const client of this.#filesets.replicatedFrom(server)) client.connected(connection);
      },
      onDisconnected: (server, reason) => {
        for (const client of this.#filesets.replicatedFrom(server)) client.disconnected(reason);
      },
    });
    this.#filesets = new MountedFilesets({
      config,
      stateDir: directories.stateDir,
      log,
      connectionTo: (server) => this.#links.connectionTo(server),
    });
  }

  get #self(): string {
    return this.#config.sysid.name;
  }

  /** Resolves when lento serves all that is mounted. @throws IzoError already-running, port-in-use, no-key ... */
  async start(): Promise<void> {
    this.#lock();
    const { config, trusted, log } = this.options;
    if (!trusted) requireKeys(config, log);
    await this.#listen();
    this.#links.set(serversAbove(config));
    const mountedAlready = this.#watchPsdev();
    const { runDir } = this.options.directories;
    const path = controlPath(runDir, this.#self);
    this.#control = await ControlServer.listen(path, (kind, frame) => this.#command(kind, frame));
    await mountedAlready;
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
      for (const server of this.#filesets.served) server.lost(connection, reason);
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
    const fileset = this.#config.filesets.get(name);
    if (fileset?.servername !== this.#self || !fileset.replicators.includes(client)) {
      const reason = `${client} is no replicator of ${name} at ${this.#self}`;
      exchange.reply(E.EACCES, encodeReason(reason));
      return;
    }
    const server = this.#filesets.server(name);
    if (kind === Kind.ABOUT) {
      answerAbout(fileset, server !== undefined, exchange);
    } else if (server === undefined) {
      exchange.reply(E.ENOTCONN, encodeReason(`${name} is not mounted on ${this.#self}`));
    } else await server.handle(client, connection, kind, payload, exchange);
  }

  /** A server's request about a fileset that we replicate from it. */
  async #asked(server: string, kind: number, payload: Buffer, exchange: Exchange): Promise<void> {
    const client = this.#filesets.client(readFileset(kind, payload));
    if (client?.server !== server) exchange.reply(E.ENOTCONN, encodeReason('not mounted here'));
    else await client.handle(kind, payload, exchange);
  }

  #watchPsdev(): Promise<void> {
    const { config, directories, log } = this.options;
    this.#watch = new PsdevWatch({
      directory: join(directories.runDir, psdevName(config.sysid.psdev)),
      log,
      onMounted: (hello, channel) => this.#filesets.mounted(hello, channel),
      onNotice: (fileset, kind, head) => this.#filesets.noticed(fileset, kind, head),
      onUnmounted: (fileset) => this.#filesets.unmounted(fileset),
    });
    return this.#watch.start();
  }

  async #command(kind: string, frame: Frame): Promise<Record<string, unknown>> {
    switch (kind) {
      case 'status':
        return { status: await this.status() };
      case 'sync':
        return { result: await this.#sync(String(frame.head['fileset'])) };
      case 'debug': {
        const { debug, log } = this.options;
        return answerDebug(debug, frame.head, (message) => log.info({}, message));
      }
      case 'logs':
        return { logs: this.#mounted(String(frame.head['fileset'])).logs };
      case 'verify':
        return { result: await verifyCommand(this.#mounted(String(frame.head['fileset'])), frame) };
      default:
        throw new IzoError('unknown-command', `lento does not know ${kind}`);
    }
  }

  #sync(fileset: string): Promise<unknown> {
    return this.#mounted(fileset).sync();
  }

  /** @throws IzoError not-mounted */
  #mounted(fileset: string): FilesetServer | FilesetClient {
    const machine = this.#filesets.get(fileset);
    if (machine !== undefined) return machine;
    throw new IzoError('not-mounted', `${fileset} is not mounted on ${this.#self}`, {
      exit: EXIT.notRunning,
    });
  }

  status(): Promise<LentoStatus> {
    const { trusted } = this.options;
    return collectStatus(this.#config, trusted, this.#filesets.all, this.#links.errors);
  }

  /** A line about all filesets of this host. */
  get summary(): string {
    return this.#filesets.summary;
  }

  /** Goes on with another configuration, as far as it can while it runs. @returns what has changed */
  reconfigure(next: Configuration): readonly ConfigChange[] {
    const { changes, effective, restarted } = compareConfigurations(this.#config, next);
    this.#config = effective;
    this.#filesets.reconfigure(effective, restarted);
    this.#links.set(serversAbove(effective));
    return changes;
  }

  /** Sends what is still to be sent, for so long at most. @returns what could not be, a sentence each */
  drain(timeoutMs: number): Promise<string[]> {
    return this.#filesets.drain(timeoutMs);
  }

  stop(): void {
    this.#watch?.stop();
    this.#listener?.close();
    this.#filesets.close('lento ends');
    this.#links.stop();
    for (const connection of this.#connections.keys()) connection.close('lento ends');
    this.#control?.close(controlPath(this.options.directories.runDir, this.#self));
  }
}
