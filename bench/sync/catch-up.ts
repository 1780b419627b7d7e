import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TwoHosts } from '../../src/core/demo/demo.js';
import { run } from '../../src/core/system/processes.js';
import { askStatus } from '../../src/core/lento/service/control-client.js';
import type { PeerStatus } from '../../src/core/lento/status/fileset-status.js';
import type { Measured } from '../harness/row.js';
import { cpuSeconds, mountedOf } from '../harness/usage.js';
import { readIfThere, until } from '../harness/waiting.js';

const CHANGES = 100;
const FILES_A_DIRECTORY = 50;
const BAR_SECONDS = 0.3;
const IDLE_MS = 2_500;
const IDLE_CORE = 0.005;
const POLL_MS = 20;

/** How a replicator misses what is changed meanwhile. */
interface Absence {
  readonly name: string;
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** What a replicator takes to catch up with changes that it has missed, in trees of different sizes; and what idling costs. */
export class CatchUp {
  #files = 0;
  #serial = 0;

  constructor(
    private readonly hosts: TwoHosts,
    private readonly rounds: number,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * @param sizes of the tree, in files, growing
   * @param cuts those with which the link is cut as well
   */
  async measure(
    sizes: readonly number[],
    cuts: readonly number[],
    onRow: (row: Measured) => void,
  ): Promise<Measured[]> {
    const rows: Measured[] = [];
    for (const size of sizes) {
      await this.#grow(size);
      for (const absence of this.#absences(cuts.includes(size))) {
        const seconds: number[] = [];
        for (let round = 0; round < this.rounds; round++) {
          this.signal.throwIfAborted();
          seconds.push(await this.#catchUp(absence));
        }
        const row: Measured = {
          ...{ id: `${CHANGES} changes after ${absence.name}, of ${size} files` },
          ...{ unit: 'ms', amount: 1, samples: new Map([['izo', seconds]]) },
          bars: [{ of: 'izo', seconds: BAR_SECONDS }],
        };
        onRow(row);
        rows.push(row);
      }
    }
    return rows;
  }

  /** Seconds of a processor that the busiest of the four processes takes in a second without work. */
  async idle(): Promise<Measured> {
    const { server, client } = this.hosts;
    const pids = [server, client].flatMap(({ runDir, lento }) => [
      mountedOf(runDir).pid,
      lento?.pid ?? 0,
    ]);
    await sleep(IDLE_MS);
    const samples: number[] = [];
    for (let round = 0; round < this.rounds; round++) {
      this.signal.throwIfAborted();
      const before = pids.map(cpuSeconds);
      await sleep(IDLE_MS);
      const most = Math.max(...pids.map((pid, i) => cpuSeconds(pid) - (before[i] ?? NaN)));
      samples.push(most / (IDLE_MS / 1000));
    }
    const bars = [{ of: 'izo', seconds: IDLE_CORE }];
    const id = 'idle, of a second of one core';
    return { id, unit: 'ms', amount: 1, samples: new Map([['izo', samples]]), bars };
  }

  #path(side: string, index: number): string {
    const directory = Math.floor(index / FILES_A_DIRECTORY);
    return join(side, 'catch-up', `d${directory}`, `f${index % FILES_A_DIRECTORY}`);
  }

  async #grow(size: number): Promise<void> {
    const { mountPoint } = this.hosts.server;
    for (; this.#files < size; this.#files++) {
      const path = this.#path(mountPoint, this.#files);
      if (this.#files % FILES_A_DIRECTORY === 0) mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, `${this.#files}\n`);
    }
    await this.hosts.server.izo(['sync', '--timeout', '120']);
  }

  #absences(withCut: boolean): Absence[] {
    const { client, cable } = this.hosts;
    const link = async (state: 'up' | 'down'): Promise<void> => {
      if (cable === undefined) throw new Error('no cable');
      await run('ip', ['-n', cable.namespaces[1], 'link', 'set', cable.links[1], state]);
    };
    const cut: Absence = {
      name: 'a cut',
      begin: async () => {
        await link('down');
        await this.#untilLink(false);
      },
      end: () => link('up'),
    };
    const restart: Absence = {
      name: 'a restart',
      begin: () => client.stopLento(),
      end: () => client.startLento(),
    };
    return withCut && cable !== undefined ? [cut, restart] : [restart];
  }

  /** From when the hosts are connected again. */
  async #catchUp({ begin, end }: Absence): Promise<number> {
    const { server, client } = this.hosts;
    await begin();
    const text = `${++this.#serial}\n`;
    const step = Math.floor(this.#files / CHANGES);
    for (let i = 0; i < CHANGES; i++) writeFileSync(this.#path(server.mountPoint, i * step), text);
    await end();
    // The order is kept: the last one tells of all.
    const last = this.#path(client.mountPoint, (CHANGES - 1) * step);
    await until('the changes', () => readIfThere(last) === text);
    const arrived = Date.now();
    const since = (await this.#untilLink(true))?.since;
    return Math.max(0, arrived - Date.parse(since ?? '')) / 1e3;
  }

  async #untilLink(wanted: boolean): Promise<PeerStatus | undefined> {
    const { client } = this.hosts;
    for (;;) {
      this.signal.throwIfAborted();
      const { filesets } = await askStatus(client.runDir, client.name);
      const [peer] = filesets.flatMap(({ peers }) => peers);
      if (peer?.connected === wanted) return peer;
      await sleep(POLL_MS);
    }
  }
}
