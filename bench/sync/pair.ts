import { mkdirSync, readdirSync, rmSync } from 'node:fs';
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
  /** It takes so long that small things are not asked of it often. */
  readonly isSlow?: boolean;
  /** Waits until it is done with what was removed: what is made again before that it could take for what was removed. */
  settle?(): Promise<void>;
  /** What is written at the right comes out at the left, too. */
  readonly twoWay?: boolean;
  /** Takes everything from the right, also what it knows of the left, and leaves it switched off. */
  forget(): Promise<void>;
  /** Switches the right on again, as a new one. */
  begin(): Promise<void>;
  /** Bytes that have gone through the cable, both ways. */
  wire(): Promise<number>;
  end(): Promise<void>;
}

/** Runs a program in the network of a host: 0 is the left one. Not by ip(8), which would give it mounts of its own, too. */
export function inNetwork(cable: Cable, side: 0 | 1, words: readonly string[]): string[] {
  return ['nsenter', `--net=/run/netns/${cable.namespaces[side]}`, ...words];
}

/** Bytes that the left end of a cable has received and sent. */
export async function wireBytes(cable: Cable): Promise<number> {
  const [program = '', ...args] = inNetwork(cable, 0, ['cat', '/proc/net/dev']);
  const { stdout } = await run(program, args);
  const line = stdout.split('\n').find((each) => each.trim().startsWith(`${cable.links[0]}:`));
  const numbers = line?.split(':')[1]?.trim().split(/\s+/).map(Number) ?? [];
  return (numbers[0] ?? NaN) + (numbers[8] ?? NaN);
}

/** What is in a directory goes. */
export function empty(directory: string): void {
  for (const name of readdirSync(directory)) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
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
