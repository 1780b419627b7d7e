import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { NO_STAMP, sameStamp } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import type { TreeEntry } from '../../model/object-description.js';
import { isTreeContents, treeContentsName } from '../../psdev/tree-contents.js';
import { isFile } from '../../replication/resync/object-news.js';
import type { Connection } from '../../wire/connection.js';
import { FetchFailed } from '../../wire/errors.js';
import type { Address } from '../../wire/messages.js';
import { fetchObject } from '../merging/server-objects.js';
import { FetchStuck, type Flow, type Transfer } from '../status/flow.js';
import type { Replica } from '../replica.js';
import { Semaphore } from '../semaphore.js';
import { smallContents } from './server-tree.js';

/** Contents of the server's tree in the stage of this host: whatever has come once stays until it is used. */
export class StagedContents {
  readonly #here = new Set<string>();
  /** Those that were looked at, and are whole. */
  readonly #whole = new Set<string>();

  constructor(private readonly replica: Replica) {
    for (const name of readdirSync(replica.stagePath(''))) {
      if (isTreeContents(name)) this.#here.add(name);
    }
  }

  /** The name in the stage; undefined where the contents of that version are not there. */
  find(entry: TreeEntry): string | undefined {
    if (!isFile(entry)) return undefined;
    const name = treeContentsName(entry.object, entry.content);
    return this.#here.has(name) ? name : undefined;
  }

  /** Files among `entries` whose contents are neither in the stage nor `known` to be in this host's tree. */
  missing(entries: readonly TreeEntry[], known: (entry: TreeEntry) => boolean): TreeEntry[] {
    const missing = new Map<string, TreeEntry>();
    for (const entry of entries) {
      // What is being written gets a record when it is done.
      if (!isFile(entry) || sameStamp(entry.content, NO_STAMP) || known(entry)) continue;
      const name = treeContentsName(entry.object, entry.content);
      if (!this.#isWhole(name, entry.size)) missing.set(name, entry);
    }
    return [...missing.values()];
  }

  #isWhole(name: string, size: number): boolean {
    if (this.#whole.has(name)) return true;
    if (!this.#here.has(name)) return false;
    // A host that went down may have left it too short.
    const there = statSync(this.replica.stagePath(name), { throwIfNoEntry: false });
    if (there?.size === size) {
      this.#whole.add(name);
      return true;
    }
    this.#here.delete(name);
    return false;
  }

  /** Fetches the contents of these; those that have changed meanwhile come in the version that they have by then. */
  async fetch(
    entries: readonly TreeEntry[],
    connection: Connection,
    address: Address,
    flow: Flow,
    onFile: (bytes: number) => void,
  ): Promise<void> {
    const small = entries.filter(({ size }) => size <= LIMITS.inlineContentBytes);
    const big = entries.filter(({ size }) => size > LIMITS.inlineContentBytes);
    const turns = new Semaphore(LIMITS.fetchesInFlight);
    const work: Promise<void>[] = [];
    for (let at = 0; at < small.length; at += LIMITS.contentsPaths) {
      const paths = small.slice(at, at + LIMITS.contentsPaths).map(({ path }) => path);
      work.push(turns.run(() => this.#fetchSmall(paths, connection, address, onFile)));
    }
    for (const { path, size } of big) {
      const ranges = [{ offset: 0, length: size }];
      const fetch = (): Promise<void> =>
        flow.during('from', { path, ranges }, async (transfer) => {
          if (await this.#fetchBig(path, connection, address, transfer)) onFile(size);
        });
      work.push(turns.run(fetch));
    }
    const failed = (await Promise.allSettled(work)).find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason as Error;
  }

  async #fetchSmall(
    paths: readonly string[],
    connection: Connection,
    address: Address,
    onFile: (bytes: number) => void,
  ): Promise<void> {
    for await (const { entry, contents } of smallContents(connection, address, paths)) {
      if (contents === undefined || !isFile(entry)) continue;
      const name = treeContentsName(entry.object, entry.content);
      writeFileSync(this.replica.stagePath(name), contents, { mode: 0o600 });
      this.#here.add(name);
      onFile(contents.length);
    }
  }

  async #fetchBig(
    path: string,
    connection: Connection,
    address: Address,
    transfer: Transfer,
  ): Promise<boolean> {
    const part = this.replica.stagePath(`part-${this.#parts++}`);
    try {
      const { object, content, mode } = await fetchObject(
        ...([connection, address, path, part] as const),
        (position, bytes) => transfer.reached(position, bytes),
      );
      const entry = { object, content, mode };
      if (!isFile(entry) || sameStamp(content, NO_STAMP)) return false;
      const name = treeContentsName(object, content);
      await rename(part, this.replica.stagePath(name));
      this.#here.add(name);
      return true;
    } catch (error) {
      // It is gone, or was changed while it was sent: the next round knows.
      if (!(error instanceof FetchFailed)) throw FetchStuck.from(path, error);
      return false;
    } finally {
      rmSync(part, { force: true });
    }
  }

  #parts = 0;

  /** Nobody needs what is left over. */
  clear(): void {
    for (const name of this.#here) rmSync(this.replica.stagePath(name), { force: true });
    this.#here.clear();
    this.#whole.clear();
  }
}
