import assert from 'node:assert/strict';
import type { Recno } from '../../../src/core/model/ids.js';
import type { JournalRecord, Time } from '../../../src/core/model/records.js';
import { faultOfBatch, faultOfOrigin } from '../../../src/core/replication/batches.js';
import { merge, type Divergence, type Merge } from '../../../src/core/replication/merge/merge.js';
import type { MergeTerms } from '../../../src/core/replication/merge/merging.js';
import type { ClientTree } from '../../../src/core/replication/merge/tree-names.js';
import type { ConflictPolicy } from '../../../src/core/replication/merge/rules.js';
import { writtenNews } from '../../../src/core/replication/merge/written.js';
import { mergeTree } from '../../../src/core/replication/resync/merge-tree.js';
import { newsFrom } from '../../../src/core/replication/resync/news.js';
import { Snapshot } from '../../../src/core/replication/resync/snapshot.js';
import { carryOut, dataOf } from './carry-out.js';
import { PaperHost } from './host.js';
import { entriesOf, PaperTree } from './tree.js';

/** A client on paper: its records are those that the server does not have. */
export class PaperClient {
  /** How many of the server's records it has. */
  seen = 0;
  /** What its conflict store has. */
  readonly stored: string[] = [];

  constructor(
    readonly name: string,
    readonly host: PaperHost,
  ) {}
}

/** What a connection comes to. */
export interface Cut {
  readonly sent?: number | undefined;
}

/** A merge, and the trees that it was made for. */
export interface PaperMerge {
  readonly plan: Merge;
  readonly replica: number;
  /** The number that the client's log gives to the first record of the merge. */
  readonly first: number;
  readonly before: PaperTree;
  readonly server: PaperTree;
  readonly after: PaperTree;
}

/** The hosts of a fileset, on paper: everybody is cut off but in the moment of `sync`. */
export class PaperCluster {
  /** Hears of every merge. */
  onMerge: ((merge: PaperMerge) => void) | undefined;
  readonly server: PaperHost;
  readonly clients: readonly PaperClient[];
  policy: ConflictPolicy = 'keep-both';
  /** The server's log. */
  readonly #log: JournalRecord[] = [];
  #now = 100;

  constructor(
    readonly serverName: string,
    clientNames: readonly string[],
  ) {
    const clock = (): Time => ({ sec: this.#now++, nsec: 0 });
    this.server = new PaperHost(1, new PaperTree(), clock);
    this.clients = clientNames.map(
      (name, i) => new PaperClient(name, new PaperHost(i + 2, new PaperTree(), clock)),
    );
  }

  get hosts(): PaperHost[] {
    return [this.server, ...this.clients.map(({ host }) => host)];
  }

  get trees(): PaperTree[] {
    return this.hosts.map(({ tree }) => tree);
  }

  /** What the conflict stores have. */
  get stored(): string[] {
    return this.clients.flatMap(({ stored }) => stored);
  }

  /** All have some files, so that what they do next concerns the same ones. */
  furnish(): void {
    this.server.furnish();
    for (const client of this.clients) this.sync(client);
  }

  /**
   * The client connects, gets what it does not have, and gives what it has.
   * @param sent the connection is cut when it has given so many of its records
   * @returns the merge, if there was one
   */
  sync(client: PaperClient, { sent }: Cut = {}): Merge | undefined {
    const { host } = client;
    this.#log.push(...this.server.records.splice(0));
    const news = this.#log.slice(client.seen).filter(({ head }) => head.origin !== host.replica);
    client.seen = this.#log.length;
    let merged: Merge | undefined;
    if (host.records.length > 0 && news.length > 0)
      merged = this.#merge(client, this.#written(news));
    else for (const record of news) host.tree.apply(record, dataOf(this.server.tree, record));
    this.#give(client, sent);
    return merged;
  }

  #written(news: readonly JournalRecord[]): JournalRecord[] {
    return writtenNews(news, (closed) => dataOf(this.server.tree, closed) !== undefined);
  }

  /** The server's log does not go back any more to where the client is: all that it gets is the server's tree. */
  resync(client: PaperClient, { sent }: Cut = {}): Merge {
    const { host } = client;
    this.#log.push(...this.server.records.splice(0));
    client.seen = this.#log.length;
    const snapshots = [this.server, host].map(({ tree }) => new Snapshot(entriesOf(tree)));
    const [theirs, ours] = snapshots as [Snapshot, Snapshot];
    const news = newsFrom(theirs, ours, host.records, { replica: 1, recno: 999_999 });
    const merged = this.#merge(client, news.records, { tree: ours, times: news.times });
    this.#give(client, sent);
    return merged;
  }

  /** The server takes it as the real one does. */
  #give({ name, host }: PaperClient, sent = host.records.length): void {
    const { tree, replica } = host;
    const records = host.records.splice(0, sent);
    const heads = records.map(({ head }) => head);
    assert.equal(faultOfOrigin(replica, heads), undefined, `${name} is refused`);
    const span = { from: 0, next: host.recno + 1 };
    assert.equal(faultOfBatch(span, heads, 0), undefined, `${name} is refused`);
    for (const record of records) this.server.tree.apply(record, dataOf(tree, record));
    this.#log.push(...records);
  }

  #merge(
    client: PaperClient,
    news: readonly JournalRecord[],
    divergence: Pick<Divergence, 'tree' | 'times'> = { tree: viewOf(client.host.tree) },
  ): Merge {
    const { host } = client;
    const terms = {
      policy: this.policy,
      clientHost: client.name,
      serverHost: this.serverName,
      replica: host.replica,
      firstFree: host.recno + 1,
    };
    const both = { ...divergence, pending: host.records, news };
    const plan = mergeOnPaper(both, host.tree, this.server.tree, terms);
    const before = host.tree.copy();
    const { stored, told, recno } = carryOut(plan, host.tree, this.server.tree, host.replica);
    const { replica, tree } = host;
    const { firstFree: first } = terms;
    const trees = { before, server: this.server.tree.copy(), after: tree.copy() };
    this.onMerge?.({ plan, replica, first, ...trees });
    client.stored.push(...stored);
    host.records = placed(told, first);
    host.spend(Math.max(recno, host.records.at(-1)?.head.recno ?? first));
    return plan;
  }
}

/** What a log gives to what is told after record `last`: numbers that were given out, or larger ones. */
export function placed(told: readonly JournalRecord[], last: Recno): JournalRecord[] {
  let recno = last;
  return told.map(({ head, body }) => {
    recno = Math.max(recno + 1, head.originRecno);
    return { head: { ...head, recno }, body };
  });
}

/** Makes the plan of a merge, and compares contents where that asks for it. */
export function mergeOnPaper(
  divergence: Divergence,
  ours: PaperTree,
  theirs: PaperTree,
  terms: Omit<MergeTerms, 'sameContents'>,
): Merge {
  // Only a tree tells of times.
  const decide = divergence.times === undefined ? merge : mergeTree;
  const plan = decide(divergence, { ...terms, sameContents: () => undefined });
  if (plan.questions.length === 0) return plan;
  return decide(divergence, {
    ...terms,
    sameContents: (a, b) => {
      const data = ours.byId(a.id)?.data;
      return data !== undefined && data === theirs.byId(b.id)?.data;
    },
  });
}

/** What a merge asks about the client's tree. */
export function viewOf(tree: PaperTree): ClientTree {
  return {
    lookup: (path) => {
      const found = tree.find(path);
      if (found === undefined) return undefined;
      const directory = found.kind === 'directory';
      return { object: found.id, directory, links: tree.namesOf(found.id).length };
    },
    timeOf: (path) => tree.get(path).mtime,
    namesOf: (object) => tree.namesOf(object),
  };
}
