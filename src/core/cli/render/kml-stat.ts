import { formatTime, type KmlStat } from '../../journal/index.js';
import { formatReplicaId, type ReplicaId } from '../../model/ids.js';

interface Row {
  readonly name: string;
  readonly records: number;
  readonly bytes: number;
}

/** What `izo kml stat --json` prints; rows with most bytes first. */
export interface StatJson {
  readonly log: string;
  readonly first: number;
  readonly last: number;
  readonly records: number;
  readonly bytes: number;
  readonly missing: number;
  readonly earliest: string | null;
  readonly latest: string | null;
  readonly operations: readonly Row[];
  readonly hosts: readonly Row[];
}

export function statJson(stat: KmlStat, hosts: ReadonlyMap<ReplicaId, string>): StatJson {
  const { first, last, records, bytes, missing, earliest, latest } = stat;
  const origins = [...stat.origins].map(
    ([id, share]) => [hosts.get(id) ?? formatReplicaId(id), share] as const,
  );
  return {
    log: formatReplicaId(stat.log),
    ...{ first, last, records, bytes, missing },
    earliest: earliest === undefined ? null : formatTime(earliest),
    latest: latest === undefined ? null : formatTime(latest),
    operations: rows(stat.operations),
    hosts: rows(origins),
  };
}

function rows(shares: Iterable<readonly [string, { records: number; bytes: number }]>): Row[] {
  return [...shares]
    .map(([name, { records, bytes }]) => ({ name, records, bytes }))
    .sort((a, b) => b.bytes - a.bytes);
}
