import type { Host, Plant } from '../scenarios/harness/host.js';
import { Network } from '../scenarios/harness/network.js';
import { SimulatedFileset, type Mode } from './fileset.js';
import { Random } from './random.js';

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

/** In half of the runs filesets are also unmounted under a lento that goes on, and mounted again. */
const REMOUNTS = { ...WEIGHTS, unmount: 1, mount: 4 } as const;

type Action = keyof typeof REMOUNTS;

/** All have work for each other, and nothing but dangers to stretches gets in between. */
const REUNION = { deliver: 60, psdev: 60, tick: 10 } as const;

const HOSTS = ['S', 'A', 'B', 'C', 'D'];
/** Their names, where there are several. */
const FILESETS = ['f', 'g', 'h'];
const STEPS = 400;
const REUNION_STEPS = 80;
/** Longer than the longest time between attempts to connect, several times. */
const SETTLE_MS = 60_000;

/** One run, which its seed determines: one to three filesets on two to five hosts. */
export class Simulation {
  readonly trace: string[] = [];
  /** How often what was done. */
  readonly counts = new Map<string, number>();
  readonly #random: Random;
  readonly #network: Network;
  readonly #filesets: readonly SimulatedFileset[];
  readonly #weights: Readonly<Partial<Record<Action, number>>>;
  /** Whose history has just been shortened, and in how many steps something happens to it. */
  #danger: { readonly fileset: SimulatedFileset; readonly host: Host; steps: number } | undefined;

  constructor(
    seed: number,
    private readonly mode: Mode,
    plant?: Plant,
  ) {
    const random = new Random(seed);
    this.#random = random;
    this.#weights = seed % 4 < 2 ? REMOUNTS : WEIGHTS;
    const hosts = HOSTS.slice(0, 2 + random.below(4));
    const network = new Network((line) => {
      this.trace.push(line);
      if (line.includes(': merged ')) this.#count('merges');
      if (line.endsWith(': took the tree')) this.#count('resyncs');
    });
    this.#network = network;
    const batchSize = 1 + random.below(3);
    const isOneSided = mode === 'one-sided' || (mode === 'trees' && seed % 2 === 0);
    const onShorten = (fileset: SimulatedFileset, host: Host): void => {
      this.#count('stretches');
      this.#danger = { fileset, host, steps: random.below(DANGER_STEPS) };
    };
    const each = { network, random, mode, isOneSided, batchSize, plant, onShorten };
    const names = random.below(2) === 0 ? [''] : FILESETS.slice(0, 2 + random.below(2));
    this.#filesets = names.map(
      (name, i) =>
        new SimulatedFileset({ ...each, name, hosts: i === 0 ? hosts : this.#some(hosts) }),
    );
    network.start();
  }

  /** At least two of them, who serves is anybody: also a client of another one's. */
  #some(hosts: readonly string[]): string[] {
    const first = this.#random.below(hosts.length);
    const turned = [...hosts.slice(first), ...hosts.slice(0, first)];
    return turned.slice(0, 2 + this.#random.below(hosts.length - 1));
  }

  run(): void {
    this.#live(STEPS, () => this.#random.weighted<Action>(this.#weights));
    this.#network.reunite();
    this.#live(REUNION_STEPS, () => this.#random.weighted(REUNION));
    this.#settle();
    for (const fileset of this.#filesets) fileset.checkEnd();
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
    const { host, fileset } = this.#danger;
    this.#danger = undefined;
    const { cluster } = fileset;
    const client = host === cluster.server ? this.#random.pick(cluster.clients)! : host;
    const end = this.#random.below(3);
    this.trace.push(`danger ${end} for ${host.name}`);
    if (end === 0) cluster.cut(client, { up: this.#random.below(4), down: this.#random.below(4) });
    else if (end === 1) this.#network.killLento(host.name);
    else this.#power(host.name);
  }

  /** What a server had not flushed would be for its clients to give back, which they cannot: then they are refused. */
  #power(name: string): void {
    for (const { cluster } of this.#filesets) {
      if (cluster.server.name === name) cluster.server.presto.flush();
    }
    this.#network.power(name);
  }

  #check(): void {
    for (const fileset of this.#filesets) fileset.check();
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #act(action: Action): void {
    this.#count(action);
    const random = this.#random;
    const network = this.#network;
    const fileset = random.pick(this.#filesets)!;
    const { cluster } = fileset;
    const host = random.pick([...cluster.hosts.values()])!;
    const client = random.pick(cluster.clients)!;
    switch (action) {
      case 'deliver': {
        const end = random.pick(network.inboxes());
        if (end !== undefined) network.deliver(end, 1 + random.below(4));
        return;
      }
      case 'psdev':
        this.#psdev(host);
        return;
      case 'write':
        if (host.isMounted) host.presto.write();
        return;
      case 'burst':
        // What is worth shortening.
        if (this.mode === 'trees' && host.isMounted) {
          for (let i = random.below(12); i > 0; i--) host.presto.write();
        }
        return;
      case 'open':
        if (this.mode !== 'one-sided' && host.isMounted) host.presto.open();
        return;
      case 'close':
        host.presto.close();
        return;
      case 'crash':
        this.trace.push(`crash ${host.name}`);
        network.crash(host);
        return;
      case 'unmount':
        this.trace.push(`unmount ${host.name}`);
        host.unmount();
        return;
      case 'mount':
        network.mount(cluster, host);
        return;
      case 'tick':
        this.#tick(1 + random.below(30));
        return;
      case 'pause':
        this.#tick(random.below(12_000));
        return;
      case 'cut':
        this.trace.push(`cut ${client.name} from ${cluster.server.name}`);
        cluster.cut(client, { up: random.below(4), down: random.below(4) });
        return;
      case 'heal':
        cluster.heal(client);
        return;
      case 'reunite':
        this.#network.reunite();
        return;
      case 'kill':
        this.trace.push(`kill ${host.name}`);
        network.killLento(host.name);
        return;
      case 'start':
        network.startLento(host.name);
        return;
      case 'full':
      case 'free':
        host.presto.full = action === 'full';
        return;
      case 'flush':
        host.presto.flush();
        return;
      case 'trim':
        fileset.trim(host);
        return;
      case 'power':
        this.trace.push(`power ${host.name}`);
        this.#power(host.name);
        return;
    }
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
    this.#network.tick(ms, () => {
      for (const host of this.#replicas) host.settle();
    });
  }

  get #replicas(): Host[] {
    return this.#filesets.flatMap(({ cluster }) => [...cluster.hosts.values()]);
  }

  /** Everything works again, and has its time. */
  #settle(): void {
    this.trace.push('settle');
    for (const { presto } of this.#replicas) {
      presto.full = false;
      presto.close();
    }
    this.#network.reunite();
    this.#network.run();
    this.#network.tick(SETTLE_MS);
    this.#check();
  }
}
