import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { roleOf, type Configuration } from '../../config/index.js';
import type { Recno } from '../../model/ids.js';
import type { Channel } from '../../psdev/channel.js';
import { number, type PrestoHello } from '../../psdev/messages.js';
import { syncedMarkerPath } from '../../system/directories.js';
import type { Connection } from '../../wire/connection.js';
import { errorText } from '../error-text.js';
import { FilesetClient } from '../client/fileset.js';
import { FilesetServer } from '../server/fileset.js';
import type { LentoLog } from '../log.js';
import { Replica } from '../replica.js';

export interface MountedFilesetsOptions {
  readonly config: Configuration;
  readonly stateDir: string;
  readonly log: LentoLog;
  /** The connection to a server, where there is one. */
  readonly connectionTo: (server: string) => Connection | undefined;
}

/** The filesets that are mounted on this host, and what runs for each. */
export class MountedFilesets {
  readonly #replicas = new Map<string, Replica>();
  readonly #servers = new Map<string, FilesetServer>();
  readonly #clients = new Map<string, FilesetClient>();
  /** Those that begin anew with another configuration: their prestos are still there. */
  readonly #restarting = new Set<string>();
  #config: Configuration;

  constructor(private readonly options: MountedFilesetsOptions) {
    this.#config = options.config;
  }

  /** Of a fileset that this host serves. */
  server(fileset: string): FilesetServer | undefined {
    return this.#servers.get(fileset);
  }

  /** Of a fileset that this host replicates from another. */
  client(fileset: string): FilesetClient | undefined {
    return this.#clients.get(fileset);
  }

  get(fileset: string): FilesetServer | FilesetClient | undefined {
    return this.#servers.get(fileset) ?? this.#clients.get(fileset);
  }

  get all(): (FilesetServer | FilesetClient)[] {
    return [...this.#servers.values(), ...this.#clients.values()];
  }

  get served(): IterableIterator<FilesetServer> {
    return this.#servers.values();
  }

  /** Those that this host has from `server`. */
  replicatedFrom(server: string): FilesetClient[] {
    return [...this.#clients.values()].filter((client) => client.server === server);
  }

  /** A presto has said hello. @throws Error where the configuration does not have its fileset */
  mounted(hello: PrestoHello, channel: Channel): void {
    const { log, connectionTo } = this.options;
    const config = this.#config;
    const fileset = config.filesets.get(hello.fileset);
    const role = roleOf(config, hello.fileset);
    if (fileset === undefined || role === 'none') {
      throw new Error(`${hello.fileset} is mounted, but ${config.files.fsetdb} says nothing of it`);
    }
    const { name, policy, compression } = fileset;
    const replica = new Replica(hello, channel, policy, compression === 'deflate');
    this.#replicas.set(name, replica);
    log.info({ fileset: name }, `${name} is mounted at ${hello.mountPoint}`);
    if (role === 'server') {
      this.#servers.set(name, new FilesetServer(config.sysid.name, fileset, replica, log));
      return;
    }
    const client = new FilesetClient(config.sysid.name, fileset, replica, log, () =>
      this.#synced(name),
    );
    this.#clients.set(name, client);
    const connection = connectionTo(fileset.servername);
    if (connection !== undefined) client.connected(connection);
  }

  /** The marker of 2001, by which other programs see that a fileset is in sync. */
  #synced(fileset: string): void {
    const { stateDir, log } = this.options;
    const path = syncedMarkerPath(stateDir, this.#config.sysid.name, fileset);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, '');
    } catch (error) {
      log.warn({ path }, errorText(error));
    }
  }

  /** A presto says something. */
  noticed(fileset: string, kind: string, head: Readonly<Record<string, unknown>>): void {
    if (kind === 'log') this.get(fileset)?.logGrew(number(head, 'recno'));
    else if (kind === 'want') this.get(fileset)?.wanted();
    else if (kind === 'ending') void this.#ending(fileset, number(head, 'recno'));
  }

  /** What was written until the fileset was unmounted is sent, while the server still knows that we hold the permit. */
  async #ending(fileset: string, end: Recno): Promise<void> {
    const client = this.#clients.get(fileset);
    client?.logGrew(end);
    await client?.drained().catch(() => undefined);
    this.#drop(fileset, 'the fileset was unmounted');
  }

  /** A presto is gone. */
  unmounted(fileset: string): void {
    if (this.#restarting.delete(fileset)) return;
    this.options.log.info({ fileset }, `${fileset} is unmounted`);
    this.#drop(fileset, 'the fileset was unmounted');
  }

  #drop(fileset: string, reason: string): void {
    this.get(fileset)?.close(reason);
    this.#servers.delete(fileset);
    this.#clients.delete(fileset);
    this.#replicas.get(fileset)?.close();
    this.#replicas.delete(fileset);
  }

  /** Goes on with another configuration; `restarted` are let go of, and begin anew when their prestos are found again. */
  reconfigure(config: Configuration, restarted: readonly string[]): void {
    this.#config = config;
    for (const fileset of restarted) {
      if (!this.#replicas.has(fileset)) continue;
      this.#restarting.add(fileset);
      this.#drop(fileset, 'its configuration has changed');
    }
    for (const each of this.all) {
      const fileset = config.filesets.get(each.name);
      if (fileset !== undefined) each.reconfigure(fileset);
    }
  }

  /** A line about all filesets of this host, mounted or not. */
  get summary(): string {
    const words = [...this.#config.filesets.keys()].flatMap((name) => {
      if (roleOf(this.#config, name) === 'none') return [];
      return [`${name}: ${this.get(name)?.summary ?? 'not mounted'}`];
    });
    return words.length === 0 ? 'no filesets' : words.join('; ');
  }

  /** Sends what is still to be sent, for so long at most. @returns what could not be, a sentence each */
  async drain(timeoutMs: number): Promise<string[]> {
    const late = sleep(timeoutMs, 'late' as const, { ref: false });
    const drained = this.all.map(async (machine) => {
      const missing = await Promise.race([machine.drain().catch(errorText), late]);
      if (missing === undefined) return [];
      const why = missing === 'late' ? `not all was sent within ${timeoutMs / 1000} s` : missing;
      return [`${machine.name}: ${why}`];
    });
    return (await Promise.all(drained)).flat();
  }

  close(reason: string): void {
    for (const fileset of [...this.#replicas.keys()]) this.#drop(fileset, reason);
  }
}
