import { cleanUp } from '../../src/core/demo/janitor.js';
import type { Host } from '../../src/core/demo/host.js';
import type { LowerMount } from '../../src/core/cache/index.js';
import { KmlReader, openLogs } from '../../src/core/journal/index.js';
import { Opcode, type JournalRecord } from '../../src/core/model/records.js';
import { Presto } from '../../src/core/presto/presto.js';
import { FILESET, withLower } from '../harness/lower.js';
import { rssMib } from '../harness/usage.js';
import { makeHost } from './hosts.js';
import { NO_STRETCH } from '../../src/core/model/position.js';

/** What lento hands presto at once. */
const BATCH = { records: 1_000, bytes: 4 * 2 ** 20 };

export interface Replayed {
  readonly records: number;
  /** Of reading and checking alone, and of doing it all in another cache. */
  readonly readSeconds: number;
  readonly seconds: number;
  /** Of this process, which has both. */
  readonly growthMib: number;
}

/** Reads the whole log as recovery does. @returns how many records it has */
export function scanLog(lower: LowerMount): number {
  const reader = KmlReader.openFileset(lower.rootFd, FILESET);
  try {
    let records = 0;
    reader.scan(() => records++);
    return records;
  } finally {
    reader.close();
  }
}

/** Applies all records of a host's log to an empty cache, as the presto of another replicator does, without the network. */
export async function replay(
  from: Host,
  root: string,
  files: number,
  signal: AbortSignal,
): Promise<Replayed> {
  try {
    const to = await makeHost(root, files);
    return await withLower(from, (source) =>
      withLower(to, (target) => applyAll(source, target, signal)),
    );
  } finally {
    await cleanUp(root, []);
  }
}

async function applyAll(
  source: LowerMount,
  target: LowerMount,
  signal: AbortSignal,
): Promise<Replayed> {
  const reader = KmlReader.openFileset(source.rootFd, FILESET);
  const logs = openLogs(target.rootFd, FILESET);
  const quiet = (): void => undefined;
  const presto = new Presto(target.rootFd, target.stageFd, logs, quiet);
  presto.setGate('absent', 'write');
  const before = rssMib(process.pid);
  const end = reader.tail().recno;
  let [records, readSeconds, seconds] = [0, 0, 0];
  for (let from = reader.header.firstRecno; from <= end;) {
    signal.throwIfAborted();
    const begin = performance.now();
    const batch = reader.read(from, BATCH, end);
    readSeconds += (performance.now() - begin) / 1e3;
    const items = batch.records.map(({ record, checksum }) => {
      return { record, checksum, contents: contentsOf(record) };
    });
    const checksum = batch.records.at(-1)?.checksum ?? 0;
    const next = { recno: batch.next, checksum, stretch: NO_STRETCH };
    const failure = await presto.applier.apply(reader.header.log, items, next, false);
    if (failure !== undefined) throw new Error(failure.message);
    seconds += (performance.now() - begin) / 1e3;
    records += items.length;
    from = batch.next;
  }
  const growthMib = rssMib(process.pid) - before;
  presto.close();
  logs.close();
  reader.close();
  return { records, readSeconds, seconds, growthMib };
}

/** The contents of small files come with their record: of the same size here, which is what matters. */
function contentsOf({ body }: JournalRecord): { kind: 'inline'; data: Buffer } | undefined {
  return body.op === Opcode.CLOSE ? { kind: 'inline', data: Buffer.alloc(body.size) } : undefined;
}
