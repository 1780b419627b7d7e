import type { ReplicaId, Recno } from '../../../src/core/model/ids.js';
import type { JournalRecord, Time } from '../../../src/core/model/records.js';
import type { Divergence as MergeDivergence } from '../../../src/core/replication/merge/merge.js';
import { newsFrom } from '../../../src/core/replication/resync/news.js';
import { Snapshot } from '../../../src/core/replication/resync/snapshot.js';
import type { ConflictPolicy } from '../../../src/core/replication/merge/rules.js';
import { writtenNews } from '../../../src/core/replication/merge/written.js';
import { carryOut, dataOf } from '../../support/paper/carry-out.js';
import { mergeOnPaper, viewOf } from '../../support/paper/cluster.js';
import { PaperHost } from '../../support/paper/host.js';
import type { Act } from '../../support/paper/random-act.js';
import { entriesOf, type PaperTree } from '../../support/paper/tree.js';
import type { Written } from '../../support/paper/written.js';
import type { Plant } from './host.js';
import type { Item } from './updates.js';

/** What the contents of one cluster share. */
export interface Paper {
  readonly clock: () => Time;
  /** What a user does next. */
  readonly act: () => Act;
  readonly written: Written;
  readonly policy: ConflictPolicy;
  readonly plant: Plant | undefined;
  /** What all begin with. */
  readonly tree: PaperTree;
}

/** What a merge is made of. */
export interface Divergence {
  readonly pending: readonly JournalRecord[];
  /** undefined: its log does not tell, but its tree does. */
  readonly news: readonly JournalRecord[] | undefined;
  /** The server's tree when it stood still. */
  readonly server: PaperTree;
  readonly serverName: string;
  /** The first number that nobody has seen. */
  readonly firstFree: Recno;
}

/** As lento has it of what it has collected. */
export function newsOf(items: readonly Item[]): JournalRecord[] {
  const told = items.flatMap(({ rec: { record }, data }) =>
    record === undefined ? [] : [{ record, data }],
  );
  const news = told.map(({ record }) => record);
  return writtenNews(news, (_, index) => told[index]?.data !== undefined);
}

/** What the updates of a mounted fileset in memory are about: a tree, and the contents that lost. */
export class Contents {
  readonly host: PaperHost;
  /** The conflict store. */
  readonly stored: string[] = [];

  constructor(
    readonly name: string,
    replica: ReplicaId,
    private readonly paper: Paper,
  ) {
    this.host = new PaperHost(replica, paper.tree.copy(), paper.clock);
  }

  get tree(): PaperTree {
    return this.host.tree;
  }

  /** A user does something. @returns its records, perhaps none; the first one has the number `next` */
  act(next: Recno): JournalRecord[] {
    const { host, paper } = this;
    host.spend(next - 1);
    paper.written.act(host, paper.act());
    return host.records.splice(0);
  }

  /** @param data the contents of a CLOSE; undefined: its maker did not have them any more */
  apply(record: JournalRecord, data: string | undefined): void {
    this.tree.apply(record, data);
  }

  /** The contents of a CLOSE, as long as they are there. */
  dataOf(record: JournalRecord): string | undefined {
    return dataOf(this.tree, record);
  }

  /** @returns what the server is to be told instead of the pending records, and the last number that was given away */
  merge({ pending, news, server, serverName, firstFree }: Divergence): {
    told: readonly JournalRecord[];
    recno: Recno;
  } {
    const { replica } = this.host;
    const terms = { clientHost: this.name, serverHost: serverName, replica, firstFree };
    const divergence =
      news === undefined
        ? this.#fromTree(server, pending)
        : { tree: viewOf(this.tree), pending, news };
    const { policy } = this.paper;
    const plan = mergeOnPaper(divergence, this.tree, server, { policy, ...terms });
    const { stored, told, recno } = carryOut(plan, this.tree, server, replica);
    if (this.paper.plant !== 'forget-loser') this.stored.push(...stored);
    return { told, recno };
  }

  #fromTree(server: PaperTree, pending: readonly JournalRecord[]): MergeDivergence {
    const tree = new Snapshot(entriesOf(this.tree));
    const fallback = { replica: 1, recno: 999_999 };
    const told = newsFrom(new Snapshot(entriesOf(server)), tree, pending, fallback);
    return { tree, pending, news: told.records, times: told.times };
  }

  /** @returns what brings back the tree as it is now */
  save(): () => void {
    const saved = this.tree.copy();
    return () => {
      this.paper.written.lost(this.tree, saved);
      this.host.tree = saved.copy();
    };
  }
}
