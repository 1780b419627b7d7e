import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../src/core/demo/host.js';
import { WORK } from './programs.js';

const BUSY = fileURLToPath(new URL('../support/busy-worker.ts', import.meta.url));
const LEDGER = fileURLToPath(new URL('ledger-worker.ts', import.meta.url));
/** How long a program may take to end when it is told to: what takes longer waits for something that does not come. */
const ENDING_MS = 40_000;

/** Directories of the fileset. */
export const PLACES = {
  /** Only its worker changes what is in it. Its name goes on with a seed. */
  territory: 'territory-',
  quarrel: 'quarrel',
  ledger: 'ledger',
  /** Where the ledger's workers have what they are about to put into it, or took out. */
  desks: 'desks',
  programs: 'programs',
} as const;

/** How long the two kinds of workers rest between two acts, on the average. */
const REST_MS = 30;

/** What the workers of all hosts write down, outside of the fileset. */
export interface Desk {
  readonly notes: string;
  readonly tar: string;
}

interface Worker {
  readonly what: string;
  readonly child: ChildProcess;
  readonly errors: string;
}

/** The programs that work on one host. */
export class Workers {
  #running: Worker[] = [];
  #starts = 0;

  constructor(
    readonly host: Host,
    private readonly desk: Desk,
    private readonly seed: number,
  ) {}

  /** Starts them; `seed` of each is another one each time. */
  start(): void {
    const seed = this.seed * 1000 + ++this.#starts;
    const { mountPoint, name } = this.host;
    const { notes, tar } = this.desk;
    const at = (place: string): string => join(mountPoint, place);
    const territory = at(`${PLACES.territory}${name}-${seed}`);
    // They run elsewhere, where nobody finds it.
    const tsx = ['--import', import.meta.resolve('tsx')];
    const busy = [BUSY, territory, at(PLACES.quarrel), join(notes, `territory-${name}-${seed}`)];
    const own = at(`${PLACES.desks}/${name}-${seed}`);
    const ledger = [LEDGER, at(PLACES.ledger), own, join(notes, `ledger-${name}-${seed}`)];
    const rest = [String(seed), String(REST_MS)];
    // The workers themselves need what they work in.
    const inside = `mkdir -p "$1" "$2" || exit 0; shift 2; exec "$@"`;
    const node = [process.execPath, ...tsx];
    this.#spawn('territory', [
      '-c',
      inside,
      'busy',
      territory,
      at(PLACES.quarrel),
      ...node,
      ...busy,
      ...rest,
    ]);
    const places = [at(PLACES.ledger), own];
    this.#spawn('ledger', ['-c', inside, 'ledger', ...places, ...node, ...ledger, ...rest]);
    this.#spawn('programs', ['-c', WORK], {
      P: at(join(PLACES.programs, name)),
      NOTES: join(notes, `programs-${name}`),
      SEED: String(seed),
      TAR: tar,
    });
  }

  #spawn(what: string, args: string[], env: Record<string, string> = {}): void {
    const errors = join(this.desk.notes, `${what}-${this.host.name}.errors`);
    const fd = openSync(errors, 'a');
    const child = spawn('bash', args, {
      stdio: ['ignore', 'ignore', fd],
      cwd: this.desk.notes,
      env: { ...process.env, ...env, LC_ALL: 'C' },
      detached: true,
    });
    closeSync(fd);
    this.#running.push({ what, child, errors });
  }

  /** Ends them, or waits for their end where their mount has gone. @returns what is wrong with how they ended */
  async end(signal?: 'SIGTERM'): Promise<string[]> {
    const running = this.#running;
    this.#running = [];
    if (signal !== undefined) for (const { child } of running) child.kill(signal);
    const wrong = await Promise.all(running.map((worker) => this.#ended(worker)));
    return wrong.flat();
  }

  async #ended({ what, child, errors }: Worker): Promise<string[]> {
    const deadline = Date.now() + ENDING_MS;
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
    while (!isOver() && Date.now() < deadline) await sleep(20);
    const name = `${what} on ${this.host.name}`;
    if (!isOver()) {
      const where = stacksOf(child.pid ?? 0);
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      return [`${name} hangs: ${where}`];
    }
    if (child.exitCode === 0 || child.signalCode === 'SIGTERM') return [];
    const said = readFileSync(errors, 'utf8').slice(-600);
    return [`${name} ended with ${child.exitCode ?? child.signalCode}: ${said}`];
  }

  /** Without waiting for anything. */
  kill(): void {
    for (const { child } of this.#running) {
      try {
        process.kill(-(child.pid ?? 0), 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  }
}

/** What the processes of a group are doing in the kernel. */
function stacksOf(group: number): string {
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'latin1') : '');
  return readdirSync('/proc')
    .filter(
      (pid) =>
        /^\d+$/.test(pid) && read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[2] === `${group}`,
    )
    .map((pid) => `${read(`/proc/${pid}/comm`).trim()} ${pid} in ${read(`/proc/${pid}/wchan`)}`)
    .join(', ');
}
