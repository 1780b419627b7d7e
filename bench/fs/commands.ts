import { spawnSync } from 'node:child_process';
import { PROGRAM } from '../../src/core/system/package.js';
import type { Row, System } from '../harness/row.js';

/** A program that is started, and ends by itself. */
export interface Startable extends System {
  /** What node(1) is given for a command of izo. */
  arguments(command: readonly string[]): readonly string[];
}

/** Node by itself, which has nothing to do, and izo on it. */
export const STARTABLE: readonly Startable[] = [
  { name: 'node', arguments: () => ['-e', '0'] },
  { name: 'izo', arguments: (command) => [PROGRAM, ...command] },
];

const MOST = 2.5;

/**
 * Commands that find out next to nothing: what is measured is how long they take to begin. `root` is empty.
 * @param starts in one measurement
 */
export function commandRows(root: string, starts: number): Row<Startable>[] {
  const env = { ...process.env, IZO_RUN_DIR: root, IZO_CONFIG_DIR: root };
  const commands = [['--version'], ['status'], ['conflicts', 'list']];
  return commands.map((command) => ({
    id: `izo ${command.join(' ')}`,
    unit: 'ms',
    amount: starts,
    bars: [{ of: 'izo', to: 'node', most: MOST }],
    measure(system) {
      const args = system.arguments(command);
      const begin = performance.now();
      for (let count = 0; count < starts; count++) {
        const { error, stderr } = spawnSync(process.execPath, args, { cwd: root, env });
        if (error !== undefined) throw error;
        if (stderr.includes('    at ')) throw new Error(stderr.toString());
      }
      return (performance.now() - begin) / 1e3;
    },
  }));
}
