import type {
  FilesetStatus,
  PeerStatus,
  TransferStatus,
} from '../../lento/status/fileset-status.js';
import type { LentoStatus } from '../../lento/status/lento-status.js';
import { needsHuman } from './status.js';

/**
 * The state of a lento in the text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Names and units by its conventions: seconds, bytes.
 */
export function renderMetrics(status: LentoStatus, now = Date.now()): string {
  const metrics = new Metrics();
  metrics.add('izo_up', 'lento answers.', {}, 1);
  const human = needsHuman(status) ? 1 : 0;
  metrics.add('izo_needs_human', 'Something does not flow, and will not by itself.', {}, human);
  for (const fileset of status.filesets) addFileset(metrics, fileset, now);
  return metrics.text;
}

type Labels = Readonly<Record<string, string>>;

/** Metrics in the order in which their names came first. All are gauges: what is the case now. */
class Metrics {
  readonly #families = new Map<string, string[]>();

  /** `value` undefined: it is not known, and nothing is said. */
  add(name: string, help: string, labels: Labels, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    const head = [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`];
    const lines = this.#families.get(name) ?? head;
    this.#families.set(name, lines);
    lines.push(`${name}${labelText(labels)} ${value}`);
  }

  get text(): string {
    return [...this.#families.values()].flatMap((lines) => [...lines, '']).join('\n');
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function addFileset(metrics: Metrics, status: FilesetStatus, now: number): void {
  const { name, role, mounted, error, conflicts, permit, log, presto } = status;
  const fileset = { fileset: name };
  const bit = (value: boolean): number => (value ? 1 : 0);
  metrics.add('izo_fileset_mounted', 'The fileset is mounted.', { ...fileset, role }, bit(mounted));
  metrics.add('izo_fileset_error', 'It has an error.', fileset, bit(error !== undefined));
  metrics.add('izo_conflicts', 'Conflicts that nobody has resolved.', fileset, conflicts);
  const held = bit(permit.holder === 'self');
  metrics.add('izo_permit_held', 'This host may update.', fileset, held);
  const waiting = permit.waiting.length;
  metrics.add('izo_permit_waiting', 'Hosts that wait for the permit.', fileset, waiting);
  metrics.add('izo_log_bytes', 'Size of the modification log.', fileset, log?.bytes);
  const unsent = 'Of the modification log: what some host does not have.';
  metrics.add('izo_log_waiting_bytes', unsent, fileset, log?.waiting);
  metrics.add('izo_open_files', 'Files that programs have open.', fileset, presto?.openFiles);
  const parked = 'Updates of programs that wait for the permit.';
  metrics.add('izo_waiting_updates', parked, fileset, presto?.parked);
  metrics.add('izo_nodes', 'Files that presto knows.', fileset, presto?.nodes);
  for (const peer of status.peers) addPeer(metrics, name, peer, now);
}

/** Sums of what is on its way, and what is not, to the peer and from it. */
function addFlow(metrics: Metrics, labels: Labels, { transfers, stuck }: PeerStatus, now: number) {
  for (const direction of ['to', 'from'] as const) {
    const there = transfers.filter((each) => each.direction === direction);
    const here = { ...labels, direction };
    const sum = (of: (each: TransferStatus) => number): number =>
      there.reduce((total, each) => total + of(each), 0);
    const files = 'Files whose contents are on their way.';
    metrics.add('izo_peer_transfers', files, here, there.length);
    const missing = 'What of these contents has not come yet.';
    metrics.add(
      'izo_peer_transfer_missing_bytes',
      missing,
      here,
      sum((t) => t.size - t.bytes),
    );
    const rate = 'How fast they come, in bytes a second.';
    metrics.add(
      'izo_peer_transfer_rate_bytes',
      rate,
      here,
      sum((t) => t.rate),
    );
    const held = stuck.filter((each) => each.direction === direction);
    metrics.add('izo_peer_stuck', 'Updates that do not pass.', here, held.length);
    const since = Math.min(...held.map((each) => Date.parse(each.since)));
    const age = held.length === 0 ? 0 : Math.max(0, (now - since) / 1000);
    metrics.add('izo_peer_stuck_seconds', 'For how long the oldest of them has not.', here, age);
  }
}

function addPeer(metrics: Metrics, fileset: string, peer: PeerStatus, now: number): void {
  const { name, connected, lag, error } = peer;
  const labels = { fileset, peer: name };
  metrics.add('izo_peer_connected', 'The peer is connected.', labels, connected ? 1 : 0);
  metrics.add('izo_peer_error', 'It has an error.', labels, error === undefined ? 0 : 1);
  const records = 'Records of this host that the peer does not have.';
  metrics.add('izo_peer_lag_records', records, labels, lag?.records);
  metrics.add('izo_peer_lag_bytes', 'The same in bytes of the log.', labels, lag?.bytes);
  const age = ageOf(lag, now);
  metrics.add('izo_peer_lag_seconds', 'Age of the oldest of these records.', labels, age);
  addFlow(metrics, labels, peer, now);
}

/** Clocks may have been set back: nothing is younger than now. */
function ageOf(lag: PeerStatus['lag'], now: number): number | undefined {
  if (lag === undefined) return undefined;
  return lag.since === undefined ? 0 : Math.max(0, (now - Date.parse(lag.since)) / 1000);
}
