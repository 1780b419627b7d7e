import type { PaperTree } from '../../support/paper/tree.js';
import type { Clock } from './clock.js';
import type { Contents } from './contents.js';
import { Presto, type Gate, type Notice } from './presto.js';
import { Psdev } from './psdev.js';

/** A bug that is put in on purpose, so that it is known that the checkers would find it. */
export type Plant =
  /** A permit is given back before programs have stopped updating. */
  | 'skip-drain'
  /** What the server has is applied although it has not seen updates of this host. */
  | 'skip-stamp-check'
  /** What was being written when presto was killed never gets its record. */
  | 'forget-leftover'
  /** Numbers of records that a power cut has taken are given again. */
  | 'reuse-numbers'
  /** A merge does not make the last of the updates again that the server does not have. */
  | 'forget-pending'
  /** The other hosts do not get to know that a fileset is unmounted under a lento that goes on. */
  | 'unmount-unsaid'
  /** A merge tells of updates whose numbers its log has yet to reach. */
  | 'early-numbers'
  /** The server's tree is taken although it changed while it was looked at. */
  | 'trust-walk'
  /** A version that loses is not put into the conflict store. */
  | 'forget-loser'
  /** A shortened history lacks its last contents. */
  | 'drop-last-close'
  /** What is left out of a shortened history may be lost in a power cut. */
  | 'shorten-unsynced';

/** What the parts of one run share. */
export interface World {
  readonly clock: Clock;
  readonly trace: (line: string) => void;
  /** Records per batch. */
  readonly batchSize: number;
  readonly serverName: string;
  readonly plant: Plant | undefined;
  /** Where updates are more than names: what those of that host are about. */
  readonly contents: ((host: string) => Contents) | undefined;
  /** The server's tree, for a client in this session; undefined where it does not stand still for that. */
  readonly serverTree: (client: string, session: number) => PaperTree | undefined;
}

/** A lento's work for one fileset, as FilesetServer and FilesetClient do it. */
export interface Shell {
  notice(notice: Notice): void;
  describe(): string;
  stop(): void;
  /** The fileset is being unmounted: the connections stay for the others. */
  leaveAll(): void;
}

/** What a host has of a fileset: its presto, its lento if that runs, and what that one's event loop has yet to do. */
export class Host {
  readonly presto: Presto;
  psdev: Psdev | undefined;
  shell: Shell | undefined;
  /** Continuations: they run after everything that arrived together was handled. */
  readonly #later: (() => void)[] = [];
  /** A slow host leaves its psdev standing. */
  slow = false;
  isMounted = true;

  constructor(
    readonly name: string,
    private readonly world: World,
  ) {
    this.presto = new Presto(name, world.plant, world.contents?.(name));
  }

  readonly later = (work: () => void): void => {
    this.#later.push(work);
  };

  startLento(make: (psdev: Psdev) => Shell): void {
    const psdev = new Psdev(
      this.presto,
      (notice) => this.shell?.notice(notice),
      (state) => this.#gateChanged(state),
      (work) => this.later(() => psdev === this.psdev && work()),
    );
    this.psdev = psdev;
    this.shell = make(psdev);
  }

  #gateChanged(state: Gate): void {
    if (state !== this.presto.gate) this.world.trace(`${this.name}: gate ${state}`);
  }

  killLento(): void {
    this.shell?.stop();
    this.shell = undefined;
    this.psdev?.close();
    this.psdev = undefined;
    this.#later.length = 0;
  }

  /** presto ends, or is killed, and lento goes on. Programs that waited end with it; what they were writing is completed. */
  unmount(): void {
    this.isMounted = false;
    this.presto.parked = 0;
    this.shell?.leaveAll();
    this.shell = undefined;
    this.psdev?.close();
    this.psdev = undefined;
    this.#later.length = 0;
    this.presto.crash();
  }

  /** What arrived so far is handled; now its continuations. */
  settle(): void {
    for (let work = this.#later.shift(); work !== undefined; work = this.#later.shift()) work();
  }

  /** The psdev empties itself, as it does on a host that is not slow. @returns whether there was anything. */
  pump(): boolean {
    this.settle();
    if (this.slow) return false;
    let worked = false;
    while (this.psdev !== undefined && (this.psdev.stepPresto() || this.psdev.stepLento())) {
      worked = true;
      this.settle();
    }
    return worked;
  }
}
