import { Cluster } from '../scenarios/harness.js';
import type { Host, Plant } from '../scenarios/harness/host.js';
import { Contents, type Paper } from '../scenarios/harness/contents.js';
import { randomAct } from '../support/paper/random-act.js';
import { Written } from '../support/paper/written.js';
import { checkConverged, checkHolders, checkOrder, checkTrees, checkWrite } from './checkers.js';
import type { ConflictPolicy } from '../../src/core/replication/merge/rules.js';
import { isWithin } from '../../src/core/model/position.js';
import { Random } from './random.js';

/**
 * `one-sided`: nobody updates without having all updates there are, so all must end the same; `two-sided`: everybody does
 * at any time, updates being nothing but names; `trees`: updates change trees, and are merged by the rules of conflicts.
 */
export type Mode = 'one-sided' | 'two-sided' | 'trees';

/** So soon after a history was shortened something happens to its host. */
const DANGER_STEPS = 20;

const WEIGHTS = {
  deliver: 60,
  psdev: 60,
  write: 12,
  burst: 2,
  open: 3,
  close: 3,
  tick: 10,
  pause: 1,
  cut: 1.5,
  heal: 3,
  reunite: 0.7,
  kill: 0.7,
  start: 2,
  full: 0.5,
  free: 1,
  flush: 6,
  power: 0.7,
  trim: 0.7,
  crash: 0.7,
} as const;

type Action = keyof typeof WEIGHTS;

/** All have work for each other, and nothing but dangers to stretches gets in between. */
const REUNION = { deliver: 60, psdev: 60, tick: 10 } as const;

const POLICIES: readonly ConflictPolicy[] = ['keep-both', 'server', 'client', 'manual'];

const STEPS = 400;
const REUNION_STEPS = 80;
/** Longer than the longest time between attempts to connect, several times. */
const SETTLE_MS = 60_000;

/** One run, which its seed determines. */
export class Simulation {
  readonly trace: string[] = [];
  /** How often what was done. */
  readonly counts = new Map<string, number>();
  readonly #random: Random;
  readonly #cluster: Cluster;
  readonly #written = new Written();
  /** Updates that some shortened history did without. */
  readonly #leftOut = new Set<string>();
  /** Whose history has just been shortened, and in how many steps something happens to it. */
  #danger: { readonly host: Host; steps: number } | undefined;
  readonly #isOneSided: boolean;
  #now = 0;

  constructor(
    seed: number,
    private readonly mode: Mode,
    plant?: Plant,
  ) {
    this.#random = new Random(seed);
    this.#isOneSided = mode === 'one-sided' || (mode === 'trees' && seed % 2 === 0);
    const hosts = ['S', 'A', 'B', 'C'].slice(0, 2 + this.#random.below(3));
    const trace = (line: string): void => {
      this.trace.push(line);
      if (line.includes(': merged ')) this.#count('merges');
      if (line.endsWith(': took the tree')) this.#count('resyncs');
    };
    const batchSize = 1 + this.#random.below(3);
    const contents = mode === 'trees' ? this.#contentsOf(hosts, plant) : {};
    this.#cluster = new Cluster({ hosts, batchSize, trace, plant, ...contents });
    for (const host of this.#cluster.hosts.values()) this.#prepare(host);
  }

  #contentsOf(
    hosts: readonly string[],
    plant: Plant | undefined,
  ): { contents: (host: string) => Contents } {
    const paper: Paper = {
      clock: () => ({ sec: ++this.#now, nsec: 0 }),
      act: () => randomAct((most) => this.#random.below(most)),
      written: this.#written,
      policy: this.#random.pick(POLICIES) ?? 'keep-both',
      plant,
    };
    return { contents: (host) => new Contents(host, hosts.indexOf(host) + 1, paper) };
  }

  #prepare(host: Host): void {
    const { presto } = host;
    presto.bigEvery = this.#random.below(3) === 0 ? 2 : 0;
    // Where nobody is in conflict backlogs are sent as they are, and shortened.
    presto.admits = () => !this.#isOneSided || this.#hasAll(presto.history);
    presto.onShorten = ({ stretch: { from, to }, left }) => {
      this.#count('stretches');
      this.trace.push(`${host.name}: shortens ${from} to ${to}, ${left.length} are left`);
      const ids = new Set(left.map(({ rec: { id } }) => id));
      for (const { recno, rec } of presto.log) {
        if (from <= recno && recno <= to && !ids.has(rec.id)) this.#leftOut.add(rec.id);
      }
      this.#danger = { host, steps: this.#random.below(DANGER_STEPS) };
    };
    presto.onWrite = (rec) => {
      this.trace.push(`${host.name}: makes ${rec.id}`);
      checkWrite(this.#cluster, host, rec, this.#leftOut);
    };
  }

  /** Whether these are all updates there are, on whatever host, but for what shortened histories did without. */
  #hasAll(history: readonly string[]): boolean {
    const lasting = (ids: readonly string[]): string[] =>
      ids.filter((id) => !this.#leftOut.has(id));
    const all = [...this.#cluster.hosts.values()].flatMap(({ presto }) => presto.history);
    return lasting(history).length === new Set(lasting(all)).size;
  }

  run(): void {
    this.#live(STEPS, () => this.#random.weighted(WEIGHTS));
    this.#reunite();
    this.#live(REUNION_STEPS, () => this.#random.weighted(REUNION));
    this.#settle();
    if (this.mode === 'trees') checkTrees(this.#cluster, this.#written);
    else checkConverged(this.#cluster);
  }

  #live(steps: number, next: () => Action): void {
    for (let i = 0; i < steps; i++) {
      this.#act(next());
      this.#endanger();
      this.#check();
    }
  }

  /** In the middle of a stretch all kinds of ends are worth a try. */
  #endanger(): void {
    if (this.#danger === undefined || this.#danger.steps-- > 0) return;
    const { host } = this.#danger;
    this.#danger = undefined;
    const cluster = this.#cluster;
    const client = host === cluster.server ? this.#random.pick(cluster.clients)! : host;
    const end = this.#random.below(3);
    this.trace.push(`danger ${end} for ${host.name}`);
    if (end === 0) cluster.cut(client, { up: this.#random.below(4), down: this.#random.below(4) });
    else if (end === 1) cluster.killLento(host);
    else this.#power(host);
  }

  /** What a server had not flushed would be for its clients to give back, which they cannot: then they are refused. */
  #power(host: Host): void {
    const cluster = this.#cluster;
    if (host === cluster.server) host.presto.flush();
    cluster.power(host);
  }

  #check(): void {
    checkHolders(this.#cluster);
    // What a merge tells the server is more, or less, than what was pending.
    if (this.mode !== 'trees') checkOrder(this.#cluster);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #act(action: Action): void {
    this.#count(action);
    const random = this.#random;
    const cluster = this.#cluster;
    const host = random.pick([...cluster.hosts.values()])!;
    const client = random.pick(cluster.clients)!;
    switch (action) {
      case 'deliver': {
        const end = random.pick(cluster.inboxes());
        if (end !== undefined) cluster.deliver(end, 1 + random.below(4));
        return;
      }
      case 'psdev':
        this.#psdev(host);
        return;
      case 'write':
        host.presto.write();
        return;
      case 'burst':
        // What is worth shortening.
        if (this.mode === 'trees') for (let i = random.below(12); i > 0; i--) host.presto.write();
        return;
      case 'open':
        if (this.mode !== 'one-sided') host.presto.open();
        return;
      case 'close':
        host.presto.close();
        return;
      case 'crash':
        this.trace.push(`crash ${host.name}`);
        cluster.crash(host);
        return;
      case 'tick':
        this.#tick(1 + random.below(30));
        return;
      case 'pause':
        this.#tick(random.below(12_000));
        return;
      case 'cut':
        this.trace.push(`cut ${client.name}`);
        cluster.cut(client, { up: random.below(4), down: random.below(4) });
        return;
      case 'heal':
        cluster.heal(client);
        return;
      case 'reunite':
        this.#reunite();
        return;
      case 'kill':
        this.trace.push(`kill ${host.name}`);
        cluster.killLento(host);
        return;
      case 'start':
        cluster.startLento(host);
        return;
      case 'full':
      case 'free':
        host.presto.full = action === 'full';
        return;
      case 'flush':
        host.presto.flush();
        return;
      case 'trim':
        this.#trim(host);
        return;
      case 'power':
        this.trace.push(`power ${host.name}`);
        this.#power(host);
        return;
    }
  }

  /** A server gives up who lags; a client keeps what its server does not have. */
  #trim(host: Host): void {
    const { presto } = host;
    const isServer = host === this.#cluster.server;
    const { expected, stretch } = this.#cluster.server.presto.progress(host.name);
    const lacks = isWithin(stretch, expected) ? stretch.from : expected;
    const most = isServer ? presto.end : Math.min(lacks - 1, presto.end);
    presto.trimmed = Math.max(presto.trimmed, this.#random.below(most + 1));
    this.trace.push(`trim ${host.name} up to ${presto.trimmed}`);
  }

  /** Some of what waits at a host's psdev is done; what lento reads in one go it deals with in one turn. */
  #psdev(host: Host): void {
    for (let i = this.#random.below(3); i > 0; i--) {
      host.psdev?.stepPresto();
      this.#check();
    }
    for (let i = this.#random.below(3); i > 0; i--) host.psdev?.stepLento();
    host.settle();
  }

  #tick(ms: number): void {
    this.#cluster.tick(ms, () => {
      for (const host of this.#cluster.hosts.values()) host.settle();
    });
  }

  #reunite(): void {
    const cluster = this.#cluster;
    for (const host of cluster.hosts.values()) cluster.startLento(host);
    for (const client of cluster.clients) cluster.heal(client);
  }

  /** Everything works again, and has its time. */
  #settle(): void {
    const cluster = this.#cluster;
    this.trace.push('settle');
    for (const host of cluster.hosts.values()) {
      host.presto.full = false;
      host.presto.close();
    }
    this.#reunite();
    cluster.run();
    cluster.tick(SETTLE_MS);
    this.#check();
  }
}
