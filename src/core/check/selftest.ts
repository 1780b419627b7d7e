import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareTrees } from '../demo/compare-trees.js';
import { makeTwoHosts, type TwoHosts } from '../demo/demo.js';
import type { Host } from '../demo/host.js';
import { IzoError } from '../model/errors.js';
import { listMounted } from '../presto/mounting/mounted-state.js';
import type { Finding } from './diagnostic.js';
import { isRunning } from '../system/processes.js';

/** After which a step has failed. The slowest takes a second or two, and on a very busy machine many. */
const STEP_MS = 60_000;
const POLL_MS = 100;
const FILES = 200;

/** Fails a step. */
function fail(what: string): never {
  throw new IzoError('selftest-failed', what);
}

/** What is written, in its own words; the last part is what the step proves. */
interface Step {
  name: string;
  run: (hosts: TwoHosts) => Promise<void> | void;
}

const STEPS: readonly Step[] = [
  { name: 'write on the server, read on the client', run: writeOnServer },
  { name: 'change on the client, read on the server', run: changeOnClient },
  { name: 'cut the connection, change both sides, conflict included', run: cutAndMerge },
  { name: 'kill presto, mount again, go on', run: killAndRecover },
];

/** Waits until a host's peers have everything and both trees are the same. */
async function settle({ server, client }: TwoHosts): Promise<void> {
  const deadline = performance.now() + STEP_MS;
  for (;;) {
    const differences = await differencesOf(server, client);
    if (differences.length === 0) return;
    if (performance.now() > deadline)
      fail(`the hosts differ: ${differences.slice(0, 3).join('; ')}`);
    await sleep(POLL_MS);
  }
}

/** Trees that change while they are compared differ, and are compared again. */
async function differencesOf(server: Host, client: Host): Promise<readonly string[]> {
  try {
    for (const host of [client, server]) await host.izo(['sync']);
    return compareTrees(server.mountPoint, client.mountPoint).differences;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return [error.message];
  }
}

async function writeOnServer(hosts: TwoHosts): Promise<void> {
  const root = join(hosts.server.mountPoint, 'selftest');
  mkdirSync(join(root, 'directory'), { recursive: true });
  for (let i = 0; i < FILES; i++) writeFileSync(join(root, 'directory', `file${i}`), `file ${i}\n`);
  writeFileSync(join(root, 'large'), Buffer.alloc(4 * 2 ** 20, 'izo'));
  writeFileSync(join(root, 'both'), 'before\n');
  await settle(hosts);
  const read = readFileSync(
    join(hosts.client.mountPoint, 'selftest', 'directory', 'file7'),
    'utf8',
  );
  if (read !== 'file 7\n') fail(`a file reads as ${JSON.stringify(read)}`);
}

async function changeOnClient(hosts: TwoHosts): Promise<void> {
  const root = join(hosts.client.mountPoint, 'selftest');
  renameSync(join(root, 'directory'), join(root, 'renamed'));
  rmSync(join(root, 'renamed', 'file0'));
  writeFileSync(join(root, 'renamed', 'file1'), 'changed on the client\n');
  await settle(hosts);
  const there = join(hosts.server.mountPoint, 'selftest', 'renamed');
  if (existsSync(join(there, 'file0'))) fail('a file that was removed is still there');
  const read = readFileSync(join(there, 'file1'), 'utf8');
  if (read !== 'changed on the client\n') fail(`a change reads as ${JSON.stringify(read)}`);
}

async function cutAndMerge(hosts: TwoHosts): Promise<void> {
  const { server, client } = hosts;
  // Without its lento a host is as good as cut off.
  await client.stopLento('SIGKILL');
  for (const [host, name] of [
    [server, 'server'],
    [client, 'client'],
  ] as const) {
    const root = join(host.mountPoint, 'selftest');
    writeFileSync(join(root, `only-${name}`), `${name}\n`);
    writeFileSync(join(root, 'both'), `${name}\n`);
  }
  await client.startLento();
  await settle(hosts);
  const root = join(server.mountPoint, 'selftest');
  for (const name of ['server', 'client']) {
    if (!existsSync(join(root, `only-${name}`)))
      fail(`what the ${name} made while cut off is lost`);
  }
  const versions = readdirSync(root)
    .filter((name) => name === 'both' || name.startsWith('both.'))
    .map((name) => readFileSync(join(root, name), 'utf8').trim())
    .sort();
  if (versions.join() !== 'client,server') fail(`of a conflict there is left: ${versions.join()}`);
}

async function killAndRecover(hosts: TwoHosts): Promise<void> {
  const { client } = hosts;
  const before = join(client.mountPoint, 'selftest', 'before-the-crash');
  writeFileSync(before, 'written\n');
  const [mounted] = listMounted(client.runDir);
  if (mounted === undefined) fail('the mount of the client is not known');
  process.kill(mounted.pid, 'SIGKILL');
  const deadline = performance.now() + STEP_MS;
  while (isRunning(mounted.pid) && performance.now() < deadline) await sleep(POLL_MS);
  await client.mount(mounted.fileset);
  if (readFileSync(before, 'utf8') !== 'written\n')
    fail('what was written before the crash is lost');
  writeFileSync(join(client.mountPoint, 'selftest', 'after-the-crash'), 'written\n');
  await settle(hosts);
}

/**
 * Proves that this machine can do all that izo needs: two hosts of it, with networks, caches and mounts of their own,
 * are formatted, mounted, written to, cut off, merged, killed and recovered; everything is taken away again.
 * @returns what went wrong; undefined where nothing did
 */
export async function selfTest(say: (line: string) => void): Promise<Finding | undefined> {
  const begin = performance.now();
  let step = 'format two caches, mount them, connect two lentos';
  let hosts: TwoHosts | undefined;
  const done = (): void =>
    say(`ok        ${step} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
  try {
    hosts = await makeTwoHosts(() => undefined);
    done();
    for (const { name, run } of STEPS) {
      step = name;
      await run(hosts);
      done();
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const remedy = error instanceof IzoError ? error.remedy : undefined;
    return {
      code: 'selftest-failed',
      message: `could not ${step}: ${error.message}`,
      place: { file: hosts?.root ?? '/dev/fuse' },
      remedy:
        remedy ?? 'Repair what the other checks tell first. Then run: izo demo, which shows more.',
    };
  } finally {
    await hosts?.end();
  }
}
