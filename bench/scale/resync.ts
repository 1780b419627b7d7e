import { readdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanUp } from '../../src/core/demo/janitor.js';
import type { Host } from '../../src/core/demo/host.js';
import { askStatus } from '../../src/core/lento/service/control-client.js';
import { IzoError } from '../../src/core/model/errors.js';
import { median, quantile } from '../harness/statistics.js';
import { peakMib, rssMib } from '../harness/usage.js';
import { readIfThere, timed, until } from '../harness/waiting.js';
import { renderLines, type Line } from './lines.js';
import { FILESET, lentoPid, makeStar, type Star } from './star.js';
import { writeFiles } from './tree.js';

/** A replicator with an empty cache takes the whole tree, while another one goes on working. */
export interface ResyncResult {
  readonly objects: number;
  /** From when its lento is started until it is connected with the whole tree. */
  readonly seconds: number;
  /** Of the replicator's lento and of the server's: before it, and the most that it had. */
  readonly client: Memory;
  readonly server: Memory;
  /** Of each update that the other replicator makes meanwhile, until the server has it; and as many as before that. */
  readonly meanwhile: readonly number[];
  readonly before: readonly number[];
}

interface Memory {
  readonly beforeMib: number;
  readonly mostMib: number;
}

const BYTES_A_FILE = 24 * 1024;
const BYTES_LEAST = 2 ** 30;
const KEPT = 'history="1M" backlog="1M"';
/** Takes 8 MB of log and nothing of the tree: then the server's log does not reach back to an empty cache. */
const LINKS = 1_000;
const LINK_BYTES = 4_000;
const PAUSE_MS = 20;
const WHOLE_TREE = { patienceMs: 600_000, pauseMs: PAUSE_MS };
const UPDATES_BEFORE = 50;

async function linkOf({ runDir, name }: Host): Promise<string | undefined> {
  try {
    return (await askStatus(runDir, name)).filesets[0]?.link;
  } catch (error) {
    if (error instanceof IzoError) return undefined;
    throw error;
  }
}

function limitLogs({ server, clients }: Star): void {
  for (const { configDir, lento } of [server, ...clients]) {
    const path = join(configDir, 'fsetdb');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('<fileset ', `<fileset ${KEPT} `));
    lento?.kill('SIGHUP');
  }
}

/** Makes one update after the other until `enough`. @returns seconds of each */
async function updates(
  from: Host,
  to: Host,
  enough: (count: number) => boolean,
): Promise<number[]> {
  const seconds: number[] = [];
  while (!enough(seconds.length)) {
    const text = `${process.hrtime.bigint()}`;
    const update = async (): Promise<void> => {
      writeFileSync(join(from.mountPoint, 'update'), text);
      await until('an update', () => readIfThere(join(to.mountPoint, 'update')) === text);
    };
    seconds.push(await timed(update));
    await sleep(PAUSE_MS);
  }
  return seconds;
}

function outgrowLog({ mountPoint }: Host): void {
  const path = join(mountPoint, 'link');
  for (let count = 0; count < LINKS; count++) {
    symlinkSync('x'.repeat(LINK_BYTES), path);
    unlinkSync(path);
  }
}

/** @returns names in the tree, the directories' too */
const countIn = ({ mountPoint }: Host): number =>
  readdirSync(mountPoint, { recursive: true }).length;

export async function measureResync(
  root: string,
  files: number,
  signal: AbortSignal,
): Promise<ResyncResult> {
  const hosts: Host[] = [];
  try {
    process.stderr.write(`  a resync of ${files} files\n`);
    const imageSize = String(BYTES_LEAST + files * BYTES_A_FILE);
    const star = await makeStar(root, 2, imageSize);
    hosts.push(star.server, ...star.clients);
    limitLogs(star);
    return await resync(star, { files, signal });
  } finally {
    for (const host of hosts) await host.stopLento();
    await cleanUp(root, []);
  }
}

async function resync(
  star: Star,
  { files, signal }: { files: number; signal: AbortSignal },
): Promise<ResyncResult> {
  const { server } = star;
  const [taker, worker] = star.clients;
  if (taker === undefined || worker === undefined) throw new Error('there are no two replicators');
  await taker.stopLento();
  await taker.izo(['umountizo', taker.mountPoint]);
  writeFiles(server.mountPoint, files);
  outgrowLog(server);
  await until(
    'the other replicator has the tree',
    async () => {
      signal.throwIfAborted();
      const [fileset] = (await askStatus(server.runDir, server.name)).filesets;
      const peer = fileset?.peers.find(({ name }) => name === worker.name);
      const isTrimmed = (fileset?.log?.first ?? 0) > 1;
      return isTrimmed && peer?.connected === true && (peer.lag?.records ?? 0) === 0;
    },
    WHOLE_TREE,
  );
  await taker.izo(['mkizofs', '--force', '-v', FILESET, taker.image]);
  await taker.mount(FILESET);
  const before = await updates(worker, server, (count) => count >= UPDATES_BEFORE);
  const serverBefore = rssMib(lentoPid(server));
  let isDone = false;
  const meanwhile = updates(worker, server, () => isDone);
  let clientBefore = 0;
  const seconds = await timed(async () => {
    await taker.startLento();
    clientBefore = rssMib(lentoPid(taker));
    await until(
      'the whole tree',
      async () => {
        signal.throwIfAborted();
        return (await linkOf(taker)) === 'up';
      },
      WHOLE_TREE,
    );
  });
  isDone = true;
  const took = await meanwhile;
  if (!readFileSync(taker.logPath, 'utf8').includes('its whole tree is taken')) {
    throw new Error('the log of the server reached: there was no resync');
  }
  const objects = countIn(server);
  if (countIn(taker) !== objects) throw new Error('the trees are not equal after the resync');
  return {
    ...{ objects, seconds, before, meanwhile: took },
    client: { beforeMib: clientBefore, mostMib: peakMib(lentoPid(taker)) },
    server: { beforeMib: serverBefore, mostMib: peakMib(lentoPid(server)) },
  };
}

const LINES: readonly Line<ResyncResult>[] = [
  { what: 'until it has the whole tree', unit: 's', value: ({ seconds }) => seconds },
  {
    what: 'of that, an object',
    unit: 'ms',
    value: ({ seconds, objects }) => (seconds / objects) * 1e3,
  },
  { what: 'memory of its lento, at the start', unit: 'MiB', value: (r) => r.client.beforeMib },
  { what: 'at most', unit: 'MiB', value: (r) => r.client.mostMib },
  { what: 'of the lento of the server, before', unit: 'MiB', value: (r) => r.server.beforeMib },
  { what: 'at most', unit: 'MiB', value: (r) => r.server.mostMib },
  {
    what: 'update of another replicator before, median',
    unit: 'ms',
    value: ({ before }) => median(before) * 1e3,
  },
  { what: 'meanwhile, median', unit: 'ms', value: ({ meanwhile }) => median(meanwhile) * 1e3 },
  { what: '95 of 100', unit: 'ms', value: (r) => quantile(r.meanwhile, 0.95) * 1e3 },
  { what: 'the longest', unit: 'ms', value: (r) => Math.max(...r.meanwhile) * 1e3 },
];

export function renderResyncs(results: readonly ResyncResult[]): string {
  return renderLines('THE WHOLE TREE TAKEN', LINES, results, ({ objects }) => `${objects} objects`);
}
