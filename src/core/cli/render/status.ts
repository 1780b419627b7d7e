import type {
  FilesetStatus,
  Lag,
  LogStatus,
  PeerStatus,
  ResyncStatus,
  TransferStatus,
} from '../../lento/status/fileset-status.js';
import { formatSize } from '../../model/sizes.js';
import { formatDuration } from '../../model/times.js';
import type { LentoStatus } from '../../lento/status/lento-status.js';

/** Something does not flow, and will not by itself. */
export function needsHuman(status: LentoStatus): boolean {
  return status.filesets.some(
    (fileset) =>
      fileset.error !== undefined ||
      fileset.presto?.cache === 'failed' ||
      fileset.link === 'diverged' ||
      fileset.conflicts > 0 ||
      fileset.peers.some((peer) => peer.error !== undefined || peer.stuck.length > 0),
  );
}

/** `izo status` for people. `now`: milliseconds since 1970. */
export function renderStatus(status: LentoStatus, now = Date.now()): string[] {
  const lines = [`lento of ${status.sysid}, pid ${status.pid}`];
  if (status.trustedNetwork) lines.push('TRUSTED NETWORK: no encryption, hosts are believed');
  for (const fileset of status.filesets) lines.push('', ...renderFileset(fileset, now));
  return lines;
}

function renderFileset(fileset: FilesetStatus, now: number): string[] {
  const role = fileset.role === 'server' ? 'served here' : `replicated from ${fileset.server}`;
  const where = fileset.mounted ? `mounted at ${fileset.mountPoint ?? '?'}` : 'NOT MOUNTED';
  const lines = [`${fileset.name}: ${role}, ${where}`];
  if (fileset.position !== undefined) lines.push(`  position  ${fileset.position}`);
  if (fileset.mounted) lines.push(`  permit    ${renderPermit(fileset)}`);
  for (const peer of fileset.peers) {
    lines.push(`  peer      ${renderPeer(peer, now)}`, ...renderFlow(peer, now));
  }
  if (fileset.resync !== undefined) lines.push(`  resync    ${renderResync(fileset.resync)}`);
  if (fileset.log !== undefined) lines.push(...renderLog(fileset.log));
  if (fileset.presto !== undefined) {
    const { openFiles, parked, binding, cache } = fileset.presto;
    lines.push(
      `  presto    ${openFiles} open files, ${parked} waiting updates, ${binding} binding`,
    );
    if (cache === 'read-only') lines.push('  mount     read-only: programs cannot change anything');
    if (cache === 'failed') {
      lines.push(
        '  ERROR     the cache has become read-only, its file system has failed (see the log of the kernel): ' +
          'unmount the fileset, check the cache with e2fsck -f, mount it again',
      );
    }
  }
  if (fileset.conflicts > 0) lines.push(`  CONFLICTS ${fileset.conflicts}: izo conflicts list`);
  if (fileset.error !== undefined) lines.push(`  ERROR     ${fileset.error}`);
  return lines;
}

function renderResync({ phase, entries, missing, files, bytes }: ResyncStatus): string {
  switch (phase) {
    case 'comparing':
      return `looks at the tree of the server: ${entries} objects so far`;
    case 'fetching':
      return `gets what is missing here: ${files} of ${missing} files, ${formatSize(bytes)}`;
    case 'merging':
      return `makes its tree that of the server: ${entries} objects`;
  }
}

function renderLog(log: LogStatus): string[] {
  const { bytes, first, waiting, backlog, givesUp, error } = log;
  const whole = `${formatSize(bytes)}, from record ${first} on`;
  const lines = [`  log       ${whole}; ${formatSize(waiting)} wait for some host`];
  if (waiting > backlog && !givesUp) {
    const most = `more than the backlog of ${formatSize(backlog)}`;
    lines.push(`  BACKLOG   ${most}: all of it is kept until the server has it`);
  }
  if (error !== undefined) lines.push(`  LOG       it is not trimmed: ${error}`);
  return lines;
}

export function renderPermit({ permit }: Pick<FilesetStatus, 'permit'>): string {
  const holder =
    permit.holder === 'self'
      ? 'held here'
      : permit.holder === undefined
        ? 'elsewhere'
        : permit.holder;
  return permit.waiting.length === 0 ? holder : `${holder}; waiting: ${permit.waiting.join(', ')}`;
}

function renderLag({ records, bytes, since }: Lag, now: number): string {
  if (records === 0) return 'has everything';
  const age =
    since === undefined ? '' : `, ${formatDuration((now - Date.parse(since)) / 1000)} old`;
  return `lacks ${records} ${records === 1 ? 'record' : 'records'}, ${formatSize(bytes)}${age}`;
}

function renderPeer(peer: PeerStatus, now: number): string {
  const link = peer.connected ? 'connected' : 'NOT CONNECTED';
  const since = peer.since === undefined ? '' : ` since ${peer.since}`;
  const lag = peer.lag === undefined ? '' : `, ${renderLag(peer.lag, now)}`;
  const error = peer.error === undefined ? '' : `: ${peer.error}`;
  return `${peer.name} ${link}${since}${lag}${error}`;
}

function renderFlow({ name, transfers, stuck }: PeerStatus, now: number): string[] {
  return [
    ...transfers.map((transfer) => `  contents  ${renderTransfer(name, transfer)}`),
    ...stuck.map(({ direction, path, operation, errno, since }) => {
      const age = formatDuration((now - Date.parse(since)) / 1000);
      return `  STUCK     ${operation} of ${path} ${direction} ${name}: ${errno}, for ${age}`;
    }),
  ];
}

export function renderTransfer(peer: string, transfer: TransferStatus): string {
  const { direction, path, bytes, size, rate } = transfer;
  return `${path} ${direction} ${peer}: ${formatSize(bytes)} of ${formatSize(size)}, ${formatSize(rate)}/s`;
}
