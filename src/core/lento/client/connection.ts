import type { Server } from '../../config/index.js';
import { IzoError } from '../../model/errors.js';
import { LIMITS } from '../../model/limits.js';
import { Connection } from '../../wire/connection.js';
import { dial } from '../../wire/dial.js';
import type { RequestHandler } from '../../wire/connection.js';
import { errorText } from '../error-text.js';
import type { LentoLog } from '../log.js';

const DIAL_MS = 5_000;

export interface ServerLinkOptions {
  readonly self: string;
  readonly server: Server;
  /** The address to come from: that of sysid. */
  readonly localAddress: string | undefined;
  /** Read anew for each attempt, so that a join while lento runs is enough. Throws where there is none. */
  readonly key: () => Buffer | undefined;
  readonly trusted: boolean;
  readonly log: LentoLog;
  readonly onRequest: RequestHandler;
  readonly onConnected: (connection: Connection) => void;
  readonly onDisconnected: (reason: string) => void;
}

/** Keeps a connection to one server, for all filesets that this host replicates from it. Tries for ever. */
export class ServerLink {
  connection: Connection | undefined;
  /** Why there is no connection. */
  error = 'not connected yet';
  #stopped = false;
  #delayMs: number = LIMITS.reconnectFirstMs;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ServerLinkOptions) {}

  start(): void {
    void this.#attempt();
  }

  async #attempt(): Promise<void> {
    const { server, log } = this.options;
    try {
      const connection = await this.#dial();
      if (this.#stopped) {
        connection.close('lento ends');
        return;
      }
      this.#delayMs = LIMITS.reconnectFirstMs;
      this.connection = connection;
      log.info({ server: server.name }, `connection to ${server.name}`);
      this.options.onConnected(connection);
      this.error = await connection.closed;
      this.connection = undefined;
      this.options.onDisconnected(this.error);
    } catch (error) {
      const text = errorText(error);
      // The same sentence every few seconds would fill a disk while a server is away.
      if (text !== this.error) this.#complain(error);
      this.error = text;
    }
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#attempt(), this.#delayMs);
    this.#delayMs = Math.min(this.#delayMs * 2, LIMITS.reconnectLongestMs);
  }

  #complain(error: unknown): void {
    const remedy = error instanceof IzoError ? error.remedy : undefined;
    const next = remedy === undefined ? '' : ` Try: ${remedy}`;
    this.options.log.warn({ server: this.options.server.name }, `${errorText(error)}${next}`);
  }

  async #dial(): Promise<Connection> {
    const { self, server, localAddress, trusted, log } = this.options;
    const key = this.options.key();
    const link = await dial({
      address: server.ipaddr,
      port: server.port,
      identity: { client: self, server: server.name },
      timeoutMs: DIAL_MS,
      trusted,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(key === undefined ? {} : { key }),
    });
    const connection = new Connection(link.socket, { peer: server.name, log });
    connection.onRequest(this.options.onRequest);
    return connection;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.connection?.close('lento ends');
  }
}
