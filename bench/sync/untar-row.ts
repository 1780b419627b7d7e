import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/core/system/processes.js';
import { makeFixtures } from '../fs/fixtures.js';
import type { Measured } from '../harness/row.js';
import { timed } from '../harness/waiting.js';
import { arrive, clean } from './arrival.js';
import type { Pair } from './pair.js';

const MOST = 1.5;
const WARM_UP = 1;

export const untarId = (files: number): string => `untar ${files} files, until complete there`;

/** How much longer than tar(1) a tree takes until the other host has all of it. `root`: for the archive. */
export async function measureUntar(
  pair: Pair,
  files: number,
  { rounds, signal, root }: { rounds: number; signal: AbortSignal; root: string },
): Promise<Measured> {
  const { tar } = await makeFixtures(root, files, false);
  const { stdout } = await run('tar', ['-tf', tar]);
  // The order is kept: the last file tells of all.
  const last = stdout.split('\n').findLast((name) => name !== '' && !name.endsWith('/')) ?? '';
  const sizeAt = (side: string): number | undefined =>
    lstatSync(join(side, last), { throwIfNoEntry: false })?.size;
  const alone: number[] = [];
  const complete: number[] = [];
  for (let round = 0; round < WARM_UP + rounds; round++) {
    signal.throwIfAborted();
    await clean(pair);
    let here = NaN;
    const there = await timed(async () => {
      here = await timed(() => run('tar', ['-xf', tar, '-C', pair.left]));
      await arrive(pair, () => sizeAt(pair.right) === sizeAt(pair.left));
    });
    if (round < WARM_UP) continue;
    alone.push(here);
    complete.push(there);
  }
  await clean(pair);
  return {
    ...{ id: untarId(files), unit: 's', amount: 1 },
    samples: new Map([
      [pair.name, complete],
      ['tar', alone],
    ]),
    bars: [{ of: pair.name, to: 'tar', most: MOST }],
  };
}
