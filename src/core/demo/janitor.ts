import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { listMounted } from '../presto/mounting/mounted-state.js';
import { cleanDeadMount, unmountFileset } from '../presto/mounting/unmount.js';
import { takeLock } from '../system/lock.js';
import { removeNamespaces } from './namespaces.js';
import { isRunning } from '../system/processes.js';

/** How long a process may take to end by itself. */
const ENDING_MS = 5_000;

/** Whether a directory is one that a demonstration or a test has made for itself alone, as mkdtemp(3) names it. */
export function isScratch(root: string): boolean {
  return dirname(root) === tmpdir() && /^izo-(demo|soak)-\w{6}$/.test(basename(root));
}

/**
 * Removes everything that hosts below `root` have: daemons, mounts, loop devices, sockets, files; and the namespaces. It
 * looks for what is there instead of being told, so it does whatever state it comes into.
 */
export async function cleanUp(root: string, namespaces: readonly string[]): Promise<void> {
  for (const host of namesIn(root)) {
    const runDir = join(root, host, 'run');
    await endLentos(runDir);
    await endMounts(runDir);
  }
  await removeNamespaces(namespaces);
  rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** A lento that runs holds its lock, and is named by it. */
async function endLentos(runDir: string): Promise<void> {
  for (const name of namesIn(runDir)) {
    if (!name.endsWith('.lento.lock')) continue;
    const pid = takeLock(join(runDir, name));
    if (pid !== undefined) await endProcess(pid, 'SIGTERM');
  }
}

async function endMounts(runDir: string): Promise<void> {
  for (const state of listMounted(runDir)) {
    try {
      await unmountFileset(runDir, state);
    } catch {
      // In use: somebody's shell stands in it. It goes all the same.
      await unmountFileset(runDir, state, 'lazy');
      await endProcess(state.pid, undefined);
      await cleanDeadMount(runDir, state);
    }
  }
}

/** Asks by `signal`, waits, and then does not ask any more. */
async function endProcess(pid: number, signal: NodeJS.Signals | undefined): Promise<void> {
  if (!(pid > 1) || !isRunning(pid)) return;
  if (signal !== undefined) process.kill(pid, signal);
  const deadline = Date.now() + ENDING_MS;
  while (isRunning(pid) && Date.now() < deadline) await pause(20);
  if (!isRunning(pid)) return;
  process.kill(pid, 'SIGKILL');
  while (isRunning(pid)) await pause(20);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
