import { setTimeout as sleep } from 'node:timers/promises';
import { askStatus, lentosOf } from '../../lento/service/control-client.js';
import type { FilesetStatus, TransferStatus } from '../../lento/status/fileset-status.js';
import { IzoError } from '../../model/errors.js';
import { ActivityWatch } from '../../presto/control/client.js';
import type { MountedState } from '../../presto/mounting/mounted-state.js';
import type { ActivityCounts, Counts } from '../../psdev/activity.js';
import type { Names } from '../render/history.js';
import { renderPermit } from '../render/status.js';

/** A lento that says nothing for so long does not keep us from showing the rest. */
const PATIENCE_MS = 1_000;

/** How much a second; times are milliseconds. */
export interface Rates {
  readonly operations: number;
  readonly errors: number;
  /** Bytes. */
  readonly written: number;
  readonly read: number;
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface FilesetActivity extends Rates {
  readonly fileset: string;
  readonly mountPoint: string;
  /** Seconds that the rates are of. */
  readonly seconds: number;
  /** Operations that wait for the permit now. */
  readonly waiting: number;
  readonly openFiles: number;
  /** Who holds it; null where no lento says so. */
  readonly permit: string | null;
  /** What of this host's log some other host does not have. */
  readonly backlog: { readonly records: number; readonly bytes: number } | null;
  /** Contents on their way to other hosts and from them; nothing where no lento says so. */
  readonly transfers: readonly PeerTransfer[];
  readonly kinds: readonly (Rates & { readonly operation: string })[];
  readonly processes: readonly ProcessActivity[];
}

export interface PeerTransfer extends TransferStatus {
  readonly peer: string;
}

export interface ProcessActivity {
  readonly pid: number;
  readonly command: string;
  readonly user: string;
  readonly operations: number;
  readonly written: number;
  readonly read: number;
}

/** Asks prestos again and again what was done, and lentos how it is. */
export class ActivityMonitor {
  readonly #watches = new Map<string, ActivityWatch>();

  constructor(
    private readonly runDir: string,
    /** What is to be watched: looked at each time, for filesets come and go. */
    private readonly mounted: () => readonly MountedState[],
    private readonly names: Names,
  ) {}

  /** Begins to watch what is not watched yet. @throws IzoError where nothing can be */
  async begin(): Promise<void> {
    for (const state of this.mounted()) {
      const key = keyOf(state);
      if (this.#watches.has(key)) continue;
      try {
        this.#watches.set(key, await ActivityWatch.begin(this.runDir, state));
      } catch (error) {
        // It is just coming or going; if none can be watched, that is said.
        if (!(error instanceof IzoError) || this.#watches.size === 0) throw error;
      }
    }
  }

  /** What was done since the last time. */
  async look(): Promise<FilesetActivity[]> {
    const statuses = await this.#statuses();
    const found: FilesetActivity[] = [];
    const asked = [...this.#watches].map(
      async ([key, watch]) => [key, watch, await watch.take()] as const,
    );
    for (const [key, watch, counts] of await Promise.all(asked)) {
      if (counts === undefined) {
        this.#watches.delete(key);
        continue;
      }
      const { fileset, mountPoint } = watch.state;
      const status = statuses.find((each) => each.mountPoint === mountPoint);
      const permit = status === undefined ? null : renderPermit(status);
      const { waiting, openFiles } = counts;
      const now = { waiting, openFiles, permit, backlog: backlogOf(status) };
      const transfers = transfersOf(status);
      found.push({ fileset, mountPoint, ...now, transfers, ...this.#rates(counts) });
    }
    await this.begin().catch(() => undefined);
    return found;
  }

  /** A host may have several lentos, or none. */
  async #statuses(): Promise<FilesetStatus[]> {
    const asked = lentosOf(this.runDir).map((sysid) =>
      Promise.race([
        askStatus(this.runDir, sysid).catch(() => undefined),
        sleep(PATIENCE_MS, undefined, { ref: false }),
      ]),
    );
    return (await Promise.all(asked)).flatMap((status) => status?.filesets ?? []);
  }

  #rates({
    ms,
    all,
    kinds,
    processes,
  }: ActivityCounts): Pick<FilesetActivity, 'seconds' | 'kinds' | 'processes' | keyof Rates> {
    const seconds = Math.max(0.001, ms / 1000);
    const rates = (counts: Counts): Rates => ({
      operations: rounded(counts.operations / seconds),
      errors: rounded(counts.errors / seconds),
      written: Math.round(counts.written / seconds),
      read: Math.round(counts.read / seconds),
      p50: counts.p50 === null ? null : rounded(counts.p50),
      p95: counts.p95 === null ? null : rounded(counts.p95),
    });
    return {
      seconds: rounded(seconds),
      ...rates(all),
      kinds: kinds.map((each) => ({ operation: each.operation, ...rates(each) })),
      processes: processes.map(({ pid, command, uid, operations, written, read }) => ({
        pid,
        command,
        user: this.names.user(uid),
        operations: rounded(operations / seconds),
        written: Math.round(written / seconds),
        read: Math.round(read / seconds),
      })),
    };
  }

  end(): void {
    for (const watch of this.#watches.values()) watch.end();
  }
}

const keyOf = ({ pid, mountPoint }: MountedState): string => `${pid} ${mountPoint}`;

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** Of the host that lacks most. */
function backlogOf(status: FilesetStatus | undefined): FilesetActivity['backlog'] {
  const lags = status?.peers.flatMap(({ lag }) => (lag === undefined ? [] : [lag])) ?? [];
  const [most] = lags.sort((a, b) => b.records - a.records);
  return most === undefined ? null : { records: most.records, bytes: most.bytes };
}

/** The largest remainder first. */
function transfersOf(status: FilesetStatus | undefined): PeerTransfer[] {
  const all = status?.peers.flatMap(({ name: peer, transfers }) =>
    transfers.map((transfer) => ({ peer, ...transfer })),
  );
  return (all ?? []).sort((a, b) => b.size - b.bytes - (a.size - a.bytes));
}
