import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { run } from '../../src/core/system/processes.js';
import { versionOf, type Program } from './programs.js';

/** Where and with what was measured: what a figure means nothing without. */
export interface Environment {
  readonly date: string;
  readonly izo: string;
  readonly node: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  /** Of one minute, when the measurements began: others at work on the machine. */
  readonly load: number;
  readonly programs: Readonly<Record<string, string>>;
}

const ROOT = new URL('../../', import.meta.url);

export async function environment(programs: readonly Program[]): Promise<Environment> {
  const versions: Record<string, string> = {};
  for (const program of programs) {
    const version = await versionOf(program);
    if (version !== undefined) versions[program.name] = version;
  }
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
    version: string;
  };
  return {
    date: new Date().toISOString(),
    izo: `${version} (${await commit()})`,
    node: process.version,
    kernel: release(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    load: loadavg()[0] ?? NaN,
    programs: versions,
  };
}

/** The commit that is checked out; a checkout that was changed says so. */
async function commit(): Promise<string> {
  try {
    const words = ['describe', '--always', '--dirty', '--abbrev=10'];
    return (await run('git', words, { cwd: ROOT.pathname })).stdout.trim();
  } catch {
    return 'no git';
  }
}

export function renderEnvironment(at: Environment): string {
  const programs = Object.entries(at.programs)
    .map(([name, version]) => (version.startsWith(name) ? version : `${name} ${version}`))
    .join(', ');
  return [
    `izo ${at.izo}, Node ${at.node}, Linux ${at.kernel}${programs === '' ? '' : `, ${programs}`}`,
    `${at.cores} cores of ${at.cpu}, ${at.memoryMiB} MiB; load ${at.load.toFixed(1)} at the start; ${at.date}`,
  ].join('\n');
}
