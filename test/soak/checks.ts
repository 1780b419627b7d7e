import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askStatus } from '../../src/core/lento/service/control-client.js';
import type { LentoStatus } from '../../src/core/lento/status/lento-status.js';
import { IzoError } from '../../src/core/model/errors.js';
import { isAlive } from '../../src/core/presto/mounting/mounted-state.js';
import type { Inspector } from './inspector.js';
import { FILESET } from './lan.js';
import { readLedger } from './ledger.js';
import { checkWork } from './programs.js';
import type { Station } from './station.js';
import { PLACES } from './workers.js';

/** How long nothing may move where not all have everything, once everybody is there again. */
const STUCK_MS = 120_000;
/** However much moves. */
const QUIET_MS = 600_000;
const POLL_MS = 200;
/** Polls in which nothing may move. */
const STILL_POLLS = 3;
/** presto looks once a second for what programs wrote to memory. */
const UNSEEN_MS = 1_200;
const COMPARE_TRIES = 5;
const FDS_MAX = 5_000;
const MEMORY_MAX = 700 * 2 ** 20;

/** What a round's checks have found. */
export interface Verdict {
  readonly violations: readonly string[];
  readonly files: number;
  readonly conflicts: number;
  /** Acts of the ledgers' workers, and of the others. */
  readonly operations: number;
  readonly tokens: number;
  /** By process, `presto of muskox`. */
  readonly usage: Readonly<Record<string, Usage>>;
}

export interface Usage {
  readonly bytes: number;
  readonly fds: number;
}

/** Looks at everything there is once no program works any more and nobody is disturbed. */
export class Checks {
  readonly #violations: string[] = [];

  constructor(
    private readonly stations: readonly Station[],
    private readonly inspector: Inspector,
    /** What the workers have noted. */
    private readonly notes: string,
    private readonly scratch: string,
    /** Ends all of it, without a verdict. */
    private readonly stop: AbortSignal,
  ) {}

  async run(): Promise<Verdict> {
    const [server, ...clients] = this.stations as [Station, ...Station[]];
    this.#alive();
    let files = 0;
    let conflicts = 0;
    const ledger = readLedger(this.#notes('ledger-'));
    if (await this.#quiet()) {
      files = await this.#equal(server, clients);
      await this.#territories(server);
      await this.#ledger(ledger.expected, server);
      for (const station of this.stations) {
        await this.#ask('log', station.state.lowerPath);
        conflicts += await this.#ask('conflicts', station.state.lowerPath);
        await this.#programs(station);
      }
    }
    return {
      violations: this.#violations,
      files,
      conflicts,
      operations: ledger.acts + this.#operations(),
      tokens: ledger.closed,
      usage: this.#usage(),
    };
  }

  #notes(prefix: string): string[] {
    return readdirSync(this.notes)
      .filter((name) => name.startsWith(prefix) && !name.endsWith('.errors'))
      .map((name) => join(this.notes, name));
  }

  #operations(): number {
    const count = (prefix: string, what: string): number =>
      this.#notes(prefix)
        .map((path) => readFileSync(path, 'utf8').split(what).length - 1)
        .reduce((sum, each) => sum + each, 0);
    return count(PLACES.territory, '{"done"') + count('programs-', '\n');
  }

  #alive(): void {
    for (const { host, state } of this.stations) {
      const { lento } = host;
      if (lento === undefined || lento.exitCode !== null || lento.signalCode !== null) {
        this.#violations.push(`lento of ${host.name} has ended by itself`);
      }
      if (!isAlive(state.pid)) this.#violations.push(`presto of ${host.name} has ended by itself`);
    }
  }

  /** Waits until nothing moves any more. */
  async #quiet(): Promise<boolean> {
    const begin = Date.now();
    let moved = begin;
    let before = '';
    for (let still = 0; still < STILL_POLLS;) {
      const all = await Promise.all(this.stations.map(statusOf));
      const positions = JSON.stringify(all.map((status) => status?.filesets[0]?.position));
      still = all.every(isCaughtUp) && positions === before ? still + 1 : 0;
      if (positions !== before) moved = Date.now();
      before = positions;
      if (Date.now() > Math.min(moved + STUCK_MS, begin + QUIET_MS)) {
        const states = all.map((status) => JSON.stringify(status?.filesets[0] ?? 'no answer'));
        this.#violations.push(
          `no quiet after ${Math.round((Date.now() - begin) / 1000)} s:\n  ${states.join('\n  ')}`,
        );
        return false;
      }
      await sleep(POLL_MS, undefined, { signal: this.stop });
    }
    return true;
  }

  async #ask(...question: Parameters<Inspector['inspect']>): Promise<number> {
    this.stop.throwIfAborted();
    const { wrong, count } = await this.inspector.inspect(...question);
    this.#violations.push(...wrong);
    return count;
  }

  async #equal(server: Station, clients: readonly Station[]): Promise<number> {
    let files = 0;
    for (const client of clients) {
      for (let tries = 1; ; tries++) {
        this.stop.throwIfAborted();
        const found = await this.inspector.inspect(
          'trees',
          server.host.mountPoint,
          client.host.mountPoint,
        );
        files = found.count;
        if (found.wrong.length > 0 && tries < COMPARE_TRIES) {
          await sleep(UNSEEN_MS);
          continue;
        }
        for (const line of found.wrong) {
          const path = line.slice(0, line.lastIndexOf(': '));
          const lower = [server.state.lowerPath, client.state.lowerPath] as const;
          const { wrong } = await this.inspector.inspect('lowerFile', path, ...lower);
          this.#violations.push(`muskox and ${client.host.name}: ${line}; ${wrong.join('')}`);
        }
        break;
      }
      const { wrong } = await this.inspector.inspect(
        'identities',
        server.state.lowerPath,
        client.state.lowerPath,
      );
      this.#violations.push(...wrong.map((line) => `muskox and ${client.host.name}: ${line}`));
    }
    return files;
  }

  async #territories(server: Station): Promise<void> {
    for (const notes of this.#notes(PLACES.territory)) {
      const name = notes.slice(notes.lastIndexOf('/') + 1);
      await this.#ask('territory', join(server.host.mountPoint, name), notes);
    }
  }

  /** What was closed is somewhere in the tree, or in a store. */
  async #ledger(expected: ReadonlySet<string>, server: Station): Promise<void> {
    const missing = new Set(expected);
    const stores = this.stations.map(({ state }) =>
      join(state.lowerPath, '.intermezzo', FILESET, 'conflicts'),
    );
    for (const place of [server.host.mountPoint, ...stores]) {
      const { wrong } = await this.inspector.inspect('tokens', place);
      for (const token of wrong) missing.delete(token);
    }
    if (missing.size === 0) return;
    const some = [...missing].slice(0, 10).join(' ');
    this.#violations.push(`${missing.size} contents that were closed are nowhere: ${some}`);
  }

  async #programs({ host }: Station): Promise<void> {
    for (const notes of this.#notes('programs-')) {
      this.stop.throwIfAborted();
      const name = notes.slice(notes.indexOf('programs-') + 'programs-'.length);
      const directory = join(host.mountPoint, PLACES.programs, name);
      this.#violations.push(
        ...(await checkWork(directory, join(this.scratch, 'copy'), readFileSync(notes, 'utf8'))),
      );
    }
  }

  #usage(): Record<string, Usage> {
    const found: Record<string, Usage> = {};
    for (const { host, state } of this.stations) {
      for (const [what, pid] of [
        ['presto', state.pid],
        ['lento', host.lento?.pid ?? 0],
      ] as const) {
        const usage = usageOf(pid);
        if (usage === undefined) continue;
        found[`${what} of ${host.name}`] = usage;
        if (usage.fds > FDS_MAX)
          this.#violations.push(`${what} of ${host.name} has ${usage.fds} files open`);
        if (usage.bytes > MEMORY_MAX) {
          this.#violations.push(`${what} of ${host.name} uses ${usage.bytes >> 20} MiB`);
        }
      }
    }
    return found;
  }
}

async function statusOf({ host }: Station): Promise<LentoStatus | undefined> {
  try {
    return await askStatus(host.runDir, host.name);
  } catch (error) {
    if (error instanceof IzoError) return undefined;
    throw error;
  }
}

/** Everybody it knows has everything, and nobody waits. */
function isCaughtUp(status: LentoStatus | undefined): boolean {
  const fileset = status?.filesets[0];
  if (fileset?.mounted !== true || fileset.permit.waiting.length > 0) return false;
  return fileset.peers.every(({ connected, lag }) => connected && lag?.records === 0);
}

function usageOf(pid: number): Usage | undefined {
  if (!existsSync(`/proc/${pid}/fd`)) return undefined;
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { bytes: Number(kib ?? 0) * 1024, fds: readdirSync(`/proc/${pid}/fd`).length };
}
