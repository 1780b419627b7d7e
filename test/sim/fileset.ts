import { Cluster } from '../scenarios/harness.js';
import { Contents, type Paper } from '../scenarios/harness/contents.js';
import type { Host, Plant } from '../scenarios/harness/host.js';
import type { Network } from '../scenarios/harness/network.js';
import { PaperHost } from '../support/paper/host.js';
import { randomAct } from '../support/paper/random-act.js';
import { PaperTree } from '../support/paper/tree.js';
import { Written } from '../support/paper/written.js';
import type { ConflictPolicy } from '../../src/core/replication/merge/rules.js';
import { checkConverged, checkHolders, checkOrder, checkTrees, checkWrite } from './checkers.js';
import type { Time } from '../../src/core/model/records.js';
import { isWithin } from '../../src/core/model/position.js';
import type { Random } from './random.js';

/**
 * `one-sided`: nobody updates without having all updates there are, so all must end the same; `two-sided`: everybody does
 * at any time, updates being nothing but names; `trees`: updates change trees, and are merged by the rules of conflicts.
 */
export type Mode = 'one-sided' | 'two-sided' | 'trees';

export interface FilesetOptions {
  readonly network: Network;
  readonly random: Random;
  readonly mode: Mode;
  readonly isOneSided: boolean;
  /** Its name, where there are several. */
  readonly name: string;
  /** The first one serves it. */
  readonly hosts: readonly string[];
  readonly batchSize: number;
  readonly plant: Plant | undefined;
  readonly onShorten: (fileset: SimulatedFileset, host: Host) => void;
}

const POLICIES: readonly ConflictPolicy[] = ['keep-both', 'server', 'client', 'manual'];

/** A fileset of a simulated run, and what must hold of it whatever happens to its hosts. */
export class SimulatedFileset {
  readonly cluster: Cluster;
  readonly #written = new Written();
  /** Updates that some shortened history did without. */
  readonly #leftOut = new Set<string>();
  #now = 0;

  constructor(private readonly options: FilesetOptions) {
    const { network, name, hosts, batchSize, plant, mode } = options;
    const contents = mode === 'trees' ? this.#contents() : {};
    this.cluster = new Cluster({ network, fileset: name, hosts, batchSize, plant, ...contents });
    for (const host of this.cluster.hosts.values()) this.#prepare(host);
  }

  #contents(): { contents: (host: string) => Contents } {
    const { random, hosts, plant } = this.options;
    const clock = (): Time => ({ sec: ++this.#now, nsec: 0 });
    const maker = new PaperHost(hosts.length + 1, new PaperTree(), clock);
    if (random.below(3) > 0) maker.furnish();
    const paper: Paper = {
      clock,
      tree: maker.tree,
      act: () => randomAct((most) => random.below(most)),
      written: this.#written,
      policy: random.pick(POLICIES) ?? 'keep-both',
      plant,
    };
    return { contents: (host) => new Contents(host, hosts.indexOf(host) + 1, paper) };
  }

  #trace(line: string): void {
    const { name, network } = this.options;
    network.trace(name === '' ? line : `${name}: ${line}`);
  }

  #prepare(host: Host): void {
    const { random, isOneSided, onShorten } = this.options;
    const { presto } = host;
    presto.bigEvery = random.below(3) === 0 ? 2 : 0;
    // Where nobody is in conflict backlogs are sent as they are, and shortened.
    presto.admits = () => !isOneSided || this.#hasAll(presto.history);
    presto.onShorten = ({ stretch: { from, to }, left }) => {
      this.#trace(`${host.name}: shortens ${from} to ${to}, ${left.length} are left`);
      const ids = new Set(left.map(({ rec: { id } }) => id));
      for (const { recno, rec } of presto.log) {
        if (from <= recno && recno <= to && !ids.has(rec.id)) this.#leftOut.add(rec.id);
      }
      onShorten(this, host);
    };
    presto.onWrite = (rec) => {
      this.#trace(`${host.name}: makes ${rec.id}`);
      checkWrite(this.cluster, host, rec, this.#leftOut);
    };
  }

  /** Whether these are all updates there are, on whatever host, but for what shortened histories did without. */
  #hasAll(history: readonly string[]): boolean {
    const lasting = (ids: readonly string[]): string[] =>
      ids.filter((id) => !this.#leftOut.has(id));
    const all = [...this.cluster.hosts.values()].flatMap(({ presto }) => presto.history);
    return lasting(history).length === new Set(lasting(all)).size;
  }

  /** What must hold at every moment. */
  check(): void {
    checkHolders(this.cluster);
    // What a merge tells the server is more, or less, than what was pending.
    if (this.options.mode !== 'trees') checkOrder(this.cluster);
  }

  /** What must hold when everything works again and has had its time. */
  checkEnd(): void {
    if (this.options.mode === 'trees') checkTrees(this.cluster, this.#written);
    else checkConverged(this.cluster);
  }

  /** A server gives up who lags; a client keeps what its server does not have. */
  trim({ name, presto }: Host): void {
    const { server } = this.cluster;
    const { expected, stretch } = server.presto.progress(name);
    const lacks = isWithin(stretch, expected) ? stretch.from : expected;
    const most = name === server.name ? presto.end : Math.min(lacks - 1, presto.end);
    presto.trimmed = Math.max(presto.trimmed, this.options.random.below(most + 1));
    this.#trace(`trim ${name} up to ${presto.trimmed}`);
  }
}
