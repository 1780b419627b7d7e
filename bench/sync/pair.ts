import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cable } from '../../src/core/demo/namespaces.js';
import { run } from '../../src/core/system/processes.js';
import type { System } from '../harness/row.js';

/** Two directories on two hosts, and what keeps the second like the first. */
export interface Pair extends System {
  /** Where is written, and where what was written must come out. */
  readonly left: string;
  readonly right: string;
  /** For systems that do nothing by themselves: carries over what there is. Resolves when it is done. */
  carry?(): Promise<void>;
  /** Bytes that have gone through the cable, both ways. */
  wire(): Promise<number>;
  end(): Promise<void>;
}

/** Runs a program in the network of a host: 0 is the left one. */
export function inNetwork(cable: Cable, side: 0 | 1, words: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', cable.namespaces[side], ...words];
}

/** Bytes that the left end of a cable has received and sent. */
export async function wireBytes(cable: Cable): Promise<number> {
  const [program = '', ...args] = inNetwork(cable, 0, ['cat', '/proc/net/dev']);
  const { stdout } = await run(program, args);
  const line = stdout.split('\n').find((each) => each.trim().startsWith(`${cable.links[0]}:`));
  const numbers = line?.split(':')[1]?.trim().split(/\s+/).map(Number) ?? [];
  return (numbers[0] ?? NaN) + (numbers[8] ?? NaN);
}

/** Two empty directories beside each other: as if on two hosts, but for the network. */
export function makeDirectories(root: string): { left: string; right: string } {
  const left = join(root, 'left');
  const right = join(root, 'right');
  for (const path of [left, right]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
  }
  return { left, right };
}
