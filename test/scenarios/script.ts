import type { Host } from './harness/host.js';
import { Cluster } from './harness.js';
import { Network } from './harness/network.js';

type Verb = (script: Script, words: readonly string[]) => void;

const VERBS: Readonly<Record<string, Verb>> = {
  hosts: (script, names) => script.begin(names),
  batch: (script, [size]) => (script.batchSize = Number(size)),
  write: (script, [name = '', count = '1']) =>
    script.write(script.cluster.host(name), Number(count)),
  deliver: (script, [from, to, count]) => script.deliver(from, to, count),
  overtake: (script, [from, to]) => script.deliver(from, to, '1', 'newest'),
  tick: (script, [ms]) => script.network.tick(Number(ms), () => script.network.pump()),
  cut: (script, [name = '']) => script.cluster.cut(script.cluster.host(name)),
  heal: (script, [name = '']) => script.cluster.heal(script.cluster.host(name)),
  kill: (script, [, name = '']) => script.network.killLento(name),
  start: (script, [, name = '']) => script.network.startLento(name),
  slow: (script, [name = '']) => (script.cluster.host(name).slow = true),
  presto: (script, [name = '', count]) => script.step(name, 'stepPresto', Number(count)),
  lento: (script, [name = '', count]) => script.step(name, 'stepLento', Number(count)),
  fast: (script, [name = '']) => (script.cluster.host(name).slow = false),
  full: (script, [name = '']) => (script.cluster.host(name).presto.full = true),
  free: (script, [name = '']) => (script.cluster.host(name).presto.full = false),
  flush: (script, [name = '']) => script.cluster.host(name).presto.flush(),
  power: (script, [name = '']) => script.network.power(name),
  trim: (script, [name = '', upto]) => (script.cluster.host(name).presto.trimmed = Number(upto)),
  restore: (script, [name = '', end]) => script.cluster.host(name).presto.restore(Number(end)),
  status: (script) => script.status(),
};

/** Runs the commands of one scenario, and collects what happens. */
export class Script {
  batchSize = 3;
  #cluster: Cluster | undefined;
  #lines: string[] = [];

  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new Error('a scenario begins with hosts');
    return this.#cluster;
  }

  get network(): Network {
    return this.cluster.network;
  }

  /** @returns what one line of commands, separated by `;`, makes happen. */
  run(line: string): string[] {
    this.#lines = [];
    for (const command of line.split(';')) {
      const [verb = '', ...words] = command.trim().split(/\s+/);
      const run = VERBS[verb];
      if (run === undefined)
        throw new Error(`${verb} is no verb: ${Object.keys(VERBS).join(', ')}`);
      run(this, words);
      this.#cluster?.network.pump();
    }
    return this.#lines.length > 0 ? this.#lines : ['ok'];
  }

  begin(hosts: readonly string[]): void {
    const trace = (line: string): void => void this.#lines.push(line);
    const network = new Network(trace);
    this.#cluster = new Cluster({ network, hosts, batchSize: this.batchSize });
    network.start();
  }

  write(host: Host, count: number): void {
    for (let i = 0; i < count; i++) {
      const outcome = host.presto.write();
      const what = outcome === 'written' ? `wrote ${host.presto.history.at(-1) ?? ''}` : 'waits';
      this.#lines.push(`${host.name}: ${what}`);
    }
  }

  /** Without names: everything, until there is nothing more to do. */
  deliver(
    from: string | undefined,
    to: string | undefined,
    count: string | undefined,
    age: 'oldest' | 'newest' = 'oldest',
  ): void {
    if (from === undefined || to === undefined) {
      this.network.run();
      return;
    }
    const end = this.network.inbox(from, to, age);
    if (end === undefined) this.#lines.push('nothing is under way');
    else this.network.deliver(end, Number(count ?? 1));
  }

  /** One side of a slow host's psdev does some of what waits for it. */
  step(name: string, side: 'stepPresto' | 'stepLento', count: number): void {
    const host = this.cluster.host(name);
    for (let i = 0; i < count; i++) host.psdev?.[side]();
    host.settle();
  }

  status(): void {
    for (const { name, presto, shell } of this.cluster.hosts.values()) {
      const tree = presto.history.length > 0 ? presto.history.join(' ') : 'empty';
      const waits = presto.parked > 0 ? `, ${presto.parked} wait` : '';
      this.#lines.push(`${name}: ${shell?.describe() ?? 'no lento'}`);
      this.#lines.push(`${name}: gate ${presto.gate}${waits}, tree ${tree}`);
    }
  }
}
