import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
  linkSync,
} from 'node:fs';
import { join } from 'node:path';
import { IzoError } from '../model/errors.js';
import { PACKAGE } from '../system/package.js';
import { run } from '../system/processes.js';
import { compareTrees, type Comparison } from './compare-trees.js';
import type { TwoHosts } from './demo.js';

const LATENCY_SAMPLES = 50;
const SEEN_MS = 10_000;

/** What is copied of the project: a real tree, with thousands of files, links and programs. */
const COPIED = ['bin', 'dist', 'docs', 'node_modules', 'package.json', 'README.md', 'src', 'test'];

/** The story that the demonstration tells: it does things on one host, and looks on the other. */
export async function tellStory(hosts: TwoHosts, say: (line: string) => void): Promise<void> {
  const { server, client } = hosts;
  const copied = join(server.mountPoint, 'project');
  await measured(`cp -a     the project itself into ${server.name}'s mount`, say, async () => {
    mkdirSync(copied);
    const sources = COPIED.map((name) => join(PACKAGE, name)).filter((path) => existsSync(path));
    await run('cp', ['-a', ...sources, copied], { timeoutMs: 600_000 });
  });
  await measured(`sync      until ${client.name} has all of it`, say, () => server.izo(['sync']));
  say(verified(hosts));
  await measured(`edit      on ${client.name}: edits, renames, removals, links`, say, () => {
    edit(join(client.mountPoint, 'project'));
    return Promise.resolve();
  });
  await measured(`sync      until ${server.name} has them`, say, () => client.izo(['sync']));
  say(verified(hosts));
  say(await latency(hosts));
  await server.izo(['sync']);
  say(verified(hosts));
}

async function measured(
  what: string,
  say: (line: string) => void,
  work: () => Promise<unknown>,
): Promise<void> {
  const begin = performance.now();
  await work();
  say(`${what}: ${((performance.now() - begin) / 1000).toFixed(2)} s`);
}

function edit(project: string): void {
  const description = join(project, 'package.json');
  writeFileSync(description, `${readFileSync(description, 'utf8')}\n`);
  mkdirSync(join(project, 'new'));
  for (let i = 0; i < 100; i++) writeFileSync(join(project, 'new', `file${i}`), `contents ${i}\n`);
  writeFileSync(join(project, 'new', 'large'), Buffer.alloc(3 * 1024 * 1024, 'izo'));
  renameSync(join(project, 'src'), join(project, 'source'));
  symlinkSync('source', join(project, 'src'));
  linkSync(description, join(project, 'new', 'package.json'));
  chmodSync(join(project, 'new', 'file1'), 0o4751);
  const modules = join(project, 'node_modules');
  const [victim] = readdirSync(modules).filter((name) => !name.startsWith('.'));
  rmSync(join(modules, victim ?? 'none'), { recursive: true, force: true });
  cpSync(join(project, 'bin'), join(project, 'new', 'bin'), { recursive: true });
}

/** @throws IzoError differ, with the first differences */
function verified({ server, client }: TwoHosts): string {
  const result = compareTrees(server.mountPoint, client.mountPoint);
  if (result.differences.length > 0) {
    const shown = result.differences.slice(0, 10).join('\n  ');
    throw new IzoError('differ', `the two hosts differ:\n  ${shown}`);
  }
  return `verify    equal on both: ${count(result)}`;
}

function count({ files, directories, links, bytes }: Comparison): string {
  const mib = (bytes / 2 ** 20).toFixed(1);
  return `${files} files (${mib} MiB), ${directories} directories, ${links} links`;
}

/** How long after its making on one host a small file is readable on the other. */
async function latency({ server, client }: TwoHosts): Promise<string> {
  const directory = 'latency';
  mkdirSync(join(server.mountPoint, directory));
  await server.izo(['sync']);
  const contents = Buffer.alloc(1024, 'x');
  const samples: number[] = [];
  for (let i = 0; i < LATENCY_SAMPLES; i++) {
    const name = join(directory, `sample${i}`);
    const begin = performance.now();
    writeFileSync(join(server.mountPoint, name), contents);
    await seen(join(client.mountPoint, name), contents.length, begin);
    samples.push(performance.now() - begin);
  }
  samples.sort((a, b) => a - b);
  const at = (p: number) => (samples[Math.floor(p * (samples.length - 1))] ?? 0).toFixed(2);
  return `latency   a file of 1 KiB made on ${server.name} is readable on ${client.name} after p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (${samples.length} files)`;
}

async function seen(path: string, size: number, begin: number): Promise<void> {
  for (;;) {
    try {
      if (readFileSync(path).length === size) return;
    } catch {
      // Not there yet.
    }
    if (performance.now() - begin > SEEN_MS)
      throw new IzoError('not-seen', `${path} does not come`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
