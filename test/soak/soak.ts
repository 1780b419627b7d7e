import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../src/core/system/processes.js';
import { Random } from '../sim/random.js';
import { Checks, type Usage, type Verdict } from './checks.js';
import { Inspector } from './inspector.js';
import { Lan } from './lan.js';
import { makeTar } from './programs.js';
import { Station, type Fault } from './station.js';
import { PLACES, Workers, type Desk } from './workers.js';

const IMAGE_SIZE = '192M';
const CLIENTS = 3;
/** Workers of different hosts have different seeds. */
const CLIENTS_MAX = 10;
/** Between two faults. */
const PAUSE_MS = 1_500;

/** How often each happens, relative to the others. */
const FAULTS: Readonly<Record<Fault, number>> = {
  cut: 6,
  silence: 4,
  'kill-lento': 4,
  'kill-presto': 4,
  'restart-lento': 2,
  remount: 2,
  'fill-disk': 2,
  'pause-lento': 1,
  'pause-presto': 1,
};

export interface Totals {
  rounds: number;
  operations: number;
  tokens: number;
  conflicts: number;
  violations: number;
  readonly faults: Record<Fault, number>;
  /** At the end of the first and of the last round. */
  first: Readonly<Record<string, Usage>>;
  last: Readonly<Record<string, Usage>>;
}

export function noTotals(): Totals {
  return {
    rounds: 0,
    operations: 0,
    tokens: 0,
    conflicts: 0,
    violations: 0,
    faults: Object.fromEntries(Object.keys(FAULTS).map((fault) => [fault, 0])) as Record<
      Fault,
      number
    >,
    first: {},
    last: {},
  };
}

export interface RoundOptions {
  /** Names all that is random. */
  readonly seed: number;
  /** How long programs are disturbed. */
  readonly chaosMs: number;
}

/** A cluster that is disturbed while programs work on all of its hosts, and checked after each round of that. */
export class Soak {
  readonly #inspector = new Inspector();
  #stations: Station[] = [];

  private constructor(
    private readonly lan: Lan,
    private readonly scratch: string,
    private readonly desk: Desk,
    readonly totals: Totals,
    /** Ends what is being done: it rejects then, and only end() may be called. */
    private readonly stop: AbortSignal,
  ) {}

  static async make(totals: Totals, stop: AbortSignal): Promise<Soak> {
    const lan = await Lan.make(CLIENTS, IMAGE_SIZE);
    const scratch = join(lan.root, 'scratch');
    const notes = join(lan.root, 'notes');
    mkdirSync(scratch);
    mkdirSync(notes);
    return new Soak(lan, scratch, { notes, tar: await makeTar(scratch) }, totals, stop);
  }

  /** Disturbs, heals and checks. @returns what was found, and when what happened */
  async round({ seed, chaosMs }: RoundOptions): Promise<{ verdict: Verdict; story: string[] }> {
    const random = new Random(seed);
    const hurry = new AbortController();
    const wrong: string[] = [];
    const complain = (line: string): void => void wrong.push(line);
    const story: string[] = [];
    this.#stations = this.lan.hosts.map(
      (host, i) =>
        new Station(
          this.lan,
          host,
          new Workers(host, this.desk, seed * CLIENTS_MAX + i),
          complain,
          AbortSignal.any([hurry.signal, this.stop]),
        ),
    );
    for (const { workers } of this.#stations) workers.start();
    await this.#disturb(random, chaosMs, hurry, story, complain);
    this.stop.throwIfAborted();
    const ends = await Promise.all(this.#stations.map(({ workers }) => workers.end('SIGTERM')));
    wrong.push(...ends.flat());
    const checks = new Checks(
      this.#stations,
      this.#inspector,
      this.desk.notes,
      this.scratch,
      this.stop,
    );
    const found = await checks.run();
    const verdict = { ...found, violations: [...wrong, ...found.violations] };
    this.#count(verdict);
    return { verdict, story };
  }

  async #disturb(
    random: Random,
    chaosMs: number,
    hurry: AbortController,
    story: string[],
    complain: (line: string) => void,
  ): Promise<void> {
    const begin = Date.now();
    const suffering = new Map<Station, Promise<void>>();
    const seconds = (): string => ((Date.now() - begin) / 1000).toFixed(1);
    while (Date.now() - begin < chaosMs) {
      await sleep(2 * PAUSE_MS * random.next(), undefined, { signal: this.stop }).catch(
        () => undefined,
      );
      if (this.stop.aborted) break;
      const station = random.pick(this.#stations)!;
      const fault = random.weighted(FAULTS);
      const own = new Random(random.below(2 ** 31));
      if (suffering.has(station)) continue;
      const { name } = station.host;
      story.push(`${seconds()} ${new Date().toISOString()} ${fault} ${name}`);
      this.totals.faults[fault]++;
      const over = station
        .suffer(fault, own)
        .catch((error: unknown) => complain(`${fault} of ${name}: ${String(error)}`))
        .then(() => {
          story.push(`${seconds()} over: ${fault} ${name}`);
          suffering.delete(station);
        });
      suffering.set(station, over);
    }
    hurry.abort();
    // Whoever waits for their end waits less.
    if (this.stop.aborted) for (const { workers } of this.#stations) workers.kill();
    await Promise.all(suffering.values());
  }

  #count({ operations, tokens, conflicts, violations, usage }: Verdict): void {
    const { totals } = this;
    totals.rounds++;
    totals.operations += operations;
    totals.tokens += tokens;
    totals.conflicts += conflicts;
    totals.violations += violations.length;
    if (totals.rounds === 1) totals.first = usage;
    totals.last = usage;
  }

  /** Takes away what the round has made, on one host, and settles all conflicts; so that the next one is quick, too. */
  async clean(seed: number): Promise<void> {
    const random = new Random(seed);
    for (const { host } of this.#stations) {
      const keep = random.pick(['server', 'client', 'both'])!;
      await host.izo(['conflicts', 'resolve', '--all', '--keep', keep], { okCodes: [3, 6] });
    }
    const { host } = random.pick(this.#stations)!;
    const { quarrel, ledger, desks, territory, programs } = PLACES;
    const all = [quarrel, ledger, desks, ...(random.below(8) === 0 ? [programs] : [])];
    const script = `cd "$0" && rm -rf ${territory}* ${all.map((place) => `${place}*`).join(' ')}`;
    await run('bash', ['-c', script, host.mountPoint]);
    const isKept = (name: string): boolean =>
      name.endsWith('.errors') || (name.startsWith('programs-') && !all.includes(programs));
    for (const name of readdirSync(this.desk.notes)) {
      if (!isKept(name)) rmSync(join(this.desk.notes, name));
    }
    for (const { state } of this.#stations) {
      const store = join(state.lowerPath, '.intermezzo', 'shared', 'conflicts');
      for (const name of readdirSync(store)) rmSync(join(store, name), { recursive: true });
    }
  }

  /** Copies logs and notes to where they stay. */
  keep(directory: string): void {
    mkdirSync(directory, { recursive: true });
    const copy = (path: string, name: string): void => {
      cpSync(path, join(directory, name), { recursive: true });
    };
    copy(this.desk.notes, 'notes');
    for (const { host } of this.#stations) {
      copy(host.logPath, `${host.name}-lento.log`);
      copy(join(host.runDir, 'intermezzo0', 'shared.log'), `${host.name}-presto.log`);
      const { lowerPath } = this.#stations.find((each) => each.host === host)!.state;
      copy(join(lowerPath, '.intermezzo', 'shared'), `${host.name}-${basename(lowerPath)}`);
    }
  }

  /** @returns what is left of it, which should be nothing */
  async end(): Promise<string[]> {
    this.#inspector.end();
    for (const { workers } of this.#stations) workers.kill();
    await this.lan.end();
    return this.lan.leftovers();
  }
}
