import { closeSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cleanUp } from '../../src/core/demo/janitor.js';
import { FILESET } from '../harness/lower.js';
import { mountedOf, rssMib, usageOf, type Usage } from '../harness/usage.js';
import { makeHost } from './hosts.js';

/** Memory over many operations. */
export interface OperationsResult {
  readonly operations: number;
  readonly seconds: number;
  /** MiB after each tenth of them. */
  readonly rssMib: readonly number[];
  /** Bytes an operation by which it grew over the second half: a leak shows here, a warm-up does not. */
  readonly growthBytes: number;
  readonly after: Usage;
}

const TENTHS = 10;
/** Of one file: made and opened, written, closed, renamed, removed. */
const OPERATIONS_EACH = 5;

function workOn(directory: string, from: number, to: number): void {
  for (let file = from; file < to; file++) {
    const name = join(directory, `file${file}`);
    const fd = openSync(name, 'wx');
    writeSync(fd, `contents of file ${file}\n`);
    closeSync(fd);
    renameSync(name, `${name}.done`);
    unlinkSync(`${name}.done`);
  }
}

export async function measureOperations(
  root: string,
  operations: number,
  signal: AbortSignal,
): Promise<OperationsResult> {
  try {
    const host = await makeHost(root, 0);
    await host.mount(FILESET);
    const directory = join(host.mountPoint, 'work');
    mkdirSync(directory);
    const files = Math.ceil(operations / OPERATIONS_EACH);
    const rss: number[] = [];
    const begin = performance.now();
    for (let tenth = 0; tenth < TENTHS; tenth++) {
      // Lets a signal be heard.
      await nextTurn();
      signal.throwIfAborted();
      process.stderr.write(`  ${operations} operations: ${tenth} tenths\n`);
      workOn(directory, (files * tenth) / TENTHS, (files * (tenth + 1)) / TENTHS);
      rss.push(rssMib(mountedOf(host.runDir).pid));
    }
    const seconds = (performance.now() - begin) / 1e3;
    return {
      operations: files * OPERATIONS_EACH,
      seconds,
      rssMib: rss,
      growthBytes: growth(rss) / ((files * OPERATIONS_EACH) / TENTHS),
      after: await usageOf(host.runDir),
    };
  } finally {
    await cleanUp(root, []);
  }
}

/** The slope of the line that fits the second half of the samples best, in bytes a sample. */
export function growth(samples: readonly number[]): number {
  const half = samples.slice(Math.floor(samples.length / 2));
  const middle = (half.length - 1) / 2;
  const mean = half.reduce((sum, value) => sum + value, 0) / half.length;
  let [above, below] = [0, 0];
  for (const [at, value] of half.entries()) {
    above += (at - middle) * (value - mean);
    below += (at - middle) ** 2;
  }
  return (above / below) * 2 ** 20;
}
