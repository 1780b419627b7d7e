import { closeSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cleanUp } from '../../src/core/demo/janitor.js';
import type { Host } from '../../src/core/demo/host.js';
import { run } from '../../src/core/system/processes.js';
import { dropCaches } from '../fs/mounted.js';
import { FILESET, withLower } from '../harness/lower.js';
import { usageOf, type Usage } from '../harness/usage.js';
import { timed } from '../harness/waiting.js';
import { makeHost, treeIn } from './hosts.js';
import { replay, scanLog, type Replayed } from './replay.js';
import { pathOf, writeFiles } from './tree.js';

/** Of one size of tree. Times in seconds. */
export interface SizeResult {
  readonly files: number;
  readonly seconds: Readonly<Record<string, number>>;
  /** Files of which one is opened and read. */
  readonly sample: number;
  readonly records: number;
  readonly before: Usage;
  readonly walked: Usage;
  readonly forgotten: Usage;
  readonly replayed: Replayed;
}

const SAMPLE_MOST = 10_000;
/** A command of a shell gets so long. */
const WALK_MS = 3_600_000;

const WALKS: Readonly<Record<string, string>> = {
  find: 'find "$1" | wc -l',
  'ls -lR': 'ls -lR "$1" | wc -l',
  du: 'du -s "$1"',
  'find -size, names known': 'find "$1" -size +1G',
};

function readSample(root: string, files: number, sample: number): void {
  const buffer = Buffer.alloc(4096);
  for (let count = 0; count < sample; count++) {
    // A prime number of files on: hardly ever in the same directory.
    const fd = openSync(join(root, pathOf((count * 7919) % files)), 'r');
    readSync(fd, buffer, 0, buffer.length, 0);
    closeSync(fd);
  }
}

/** Makes a tree of this size in a cache, and does with it what a host does. Removes it all. */
export async function measureSize(
  root: string,
  files: number,
  signal: AbortSignal,
): Promise<SizeResult> {
  const seconds: Record<string, number> = {};
  const step = async (name: string, act: () => unknown): Promise<void> => {
    // Lets a signal be heard.
    await nextTurn();
    signal.throwIfAborted();
    process.stderr.write(`  ${files} files: ${name}\n`);
    seconds[name] = await timed(act);
  };
  try {
    const host = await makeHost(root, files);
    await withLower(host, ({ path }) => {
      mkdirSync(treeIn(path));
      writeFiles(treeIn(path), files);
    });
    await step('first mount', () => host.mount(FILESET));
    await host.izo(['umountizo', host.mountPoint]);
    await step('mount', () => host.mount(FILESET));
    const before = await usageOf(host.runDir);
    const sample = Math.min(files, SAMPLE_MOST);
    await walk(host, files, sample, step);
    const walked = await usageOf(host.runDir);
    const forgotten = await forget(host);
    await host.izo(['umountizo', host.mountPoint]);
    const records = await withLower(host, async (lower) => {
      let found = 0;
      await step('scan of the log', () => (found = scanLog(lower)));
      return found;
    });
    process.stderr.write(`  ${files} files: replay\n`);
    const replayed = await replay(host, join(root, 'replica'), files, signal);
    return { files, seconds, sample, records, before, walked, forgotten, replayed };
  } finally {
    await cleanUp(root, []);
  }
}

async function walk(
  host: Host,
  files: number,
  sample: number,
  step: (name: string, act: () => unknown) => Promise<void>,
): Promise<void> {
  const tree = treeIn(host.mountPoint);
  for (const [name, script] of Object.entries(WALKS)) {
    if (!name.includes('known')) dropCaches('entries');
    await step(name, () => run('sh', ['-c', script, 'sh', tree], { timeoutMs: WALK_MS }));
  }
  dropCaches('entries');
  await step('open + read + close', () => {
    readSample(tree, files, sample);
  });
  await run('find', [tree, '-size', '+1G'], { timeoutMs: WALK_MS });
}

/** What is left when the kernel remembers nothing: it forgets level by level. */
async function forget({ runDir }: Host): Promise<Usage> {
  let usage = await usageOf(runDir);
  for (let before = Infinity; usage.nodes < before;) {
    before = usage.nodes;
    dropCaches('entries');
    usage = await usageOf(runDir);
  }
  return usage;
}
