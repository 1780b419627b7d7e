import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Cable } from '../../src/core/demo/namespaces.js';
import { inNetwork } from './pair.js';

/** A daemon in the network of a host, ended by its pid. */
export function daemon(
  cable: Cable,
  side: 0 | 1,
  words: readonly string[],
  home: string,
): ChildProcess {
  const [program = '', ...args] = inNetwork(cable, side, words);
  const env = { ...process.env, HOME: home };
  return spawn(program, args, { stdio: 'ignore', env });
}

export async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
