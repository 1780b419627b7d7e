import { readKey, type Server } from '../../config/index.js';
import type { Connection, RequestHandler } from '../../wire/connection.js';
import type { LentoLog } from '../log.js';
import { ServerLink } from './connection.js';

export interface ServerLinksOptions {
  readonly self: string;
  readonly configDir: string;
  /** The address to come from: that of sysid. */
  readonly localAddress: string | undefined;
  readonly trusted: boolean;
  readonly log: LentoLog;
  readonly onRequest: (server: string, ...request: Parameters<RequestHandler>) => Promise<void>;
  readonly onConnected: (server: string, connection: Connection) => void;
  readonly onDisconnected: (server: string, reason: string) => void;
}

/** Connections to the servers above this host, one to each. */
export class ServerLinks {
  readonly #links = new Map<string, { readonly server: Server; readonly link: ServerLink }>();

  constructor(private readonly options: ServerLinksOptions) {}

  /** These servers from now on: what is new is dialled, what is gone is closed, who has moved is dialled anew. */
  set(servers: readonly Server[]): void {
    const wanted = new Map(servers.map((server) => [server.name, server]));
    for (const [name, { server, link }] of this.#links) {
      const next = wanted.get(name);
      if (next?.ipaddr === server.ipaddr && next.port === server.port) continue;
      link.stop();
      this.#links.delete(name);
    }
    for (const server of servers) if (!this.#links.has(server.name)) this.#start(server);
  }

  #start(server: Server): void {
    const { self, configDir, localAddress, trusted, log, ...on } = this.options;
    const { name } = server;
    const key = { configDir, client: self, server: name, side: 'client' as const };
    const link = new ServerLink({
      self,
      server,
      localAddress,
      trusted,
      log,
      key: () => (trusted ? undefined : readKey(key)),
      onRequest: (...request) => on.onRequest(name, ...request),
      onConnected: (connection) => on.onConnected(name, connection),
      onDisconnected: (reason) => on.onDisconnected(name, reason),
    });
    this.#links.set(name, { server, link });
    link.start();
  }

  connectionTo(server: string): Connection | undefined {
    return this.#links.get(server)?.link.connection;
  }

  /** By server, why there is no connection to it. */
  get errors(): Map<string, string> {
    return new Map([...this.#links].map(([name, { link }]) => [name, link.error]));
  }

  stop(): void {
    for (const { link } of this.#links.values()) link.stop();
  }
}
