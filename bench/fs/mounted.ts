import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  attach,
  detach,
  formatCache,
  lowerMountOptions,
  type Attached,
} from '../../src/core/cache/index.js';
import { cleanUp } from '../../src/core/demo/janitor.js';
import { Host } from '../../src/core/demo/host.js';
import { listMounted } from '../../src/core/presto/mounting/mounted-state.js';
import { E, must } from '../../src/core/system/errno.js';
import { AT_FDCWD, close, O_RDONLY, openat, syncfs } from '../../src/core/system/files.js';
import { mount, MountFlag, umount } from '../../src/core/system/mounting.js';
import { run } from '../../src/core/system/processes.js';
import { FILESET } from '../harness/lower.js';
import type { System } from '../harness/row.js';

/** A mounted file system that is measured. */
export interface Mounted extends System {
  readonly name: 'bare' | 'bindfs' | 'izo';
  /** Where the work is done. */
  readonly directory: string;
  /** Where the ext3 below it is mounted. */
  readonly lower: string;
  /** Unmounts and removes it. */
  remove(): Promise<void>;
}

/** Has everything that was written go to the disk, so that nobody pays for somebody else's writing. */
export function settle({ lower }: Pick<Mounted, 'lower'>): void {
  const fd = must('open', openat(AT_FDCWD, lower, O_RDONLY), lower);
  must('syncfs', syncfs(fd), lower);
  close(fd);
}

/** What the kernel remembers of all file systems: `entries` are names and attributes, `everything` contents as well. */
export function dropCaches(what: 'entries' | 'everything'): void {
  writeFileSync('/proc/sys/vm/drop_caches', what === 'entries' ? '2' : '3');
}

interface Lower {
  readonly attached: Attached;
  readonly path: string;
}

/** An image made and mounted exactly as a cache is: the same program, the same options. */
async function mountLower(root: string, size: number): Promise<Lower> {
  const target = join(root, 'image');
  const path = join(root, 'lower');
  mkdirSync(path, { recursive: true });
  const options = { fileset: FILESET, type: 'ext3', force: false, convert: false } as const;
  await formatCache({ ...options, target, size });
  const attached = await attach(target);
  const data = lowerMountOptions('ext3');
  must('mount', mount(attached.blockDevice, path, 'ext3', MountFlag.noatime, data), path);
  return { attached, path };
}

/** bindfs lets go of what it has below it only after its own mount has gone. */
const LETTING_GO_MS = 10_000;
const PAUSE_MS = 20;
const STARTING_MS = 3_000;

async function unmount(path: string): Promise<void> {
  const deadline = Date.now() + LETTING_GO_MS;
  let result = await umount(path);
  while (result === -E.EBUSY && Date.now() < deadline) {
    await sleep(PAUSE_MS);
    result = await umount(path);
  }
  must('umount', result, path);
}

async function removeLower(root: string, { attached, path }: Lower): Promise<void> {
  await unmount(path);
  await detach(attached);
  rmSync(root, { recursive: true, force: true });
}

function workIn(path: string): string {
  const directory = join(path, 'work');
  mkdirSync(directory);
  return directory;
}

export async function mountBare(root: string, size: number): Promise<Mounted> {
  const lower = await mountLower(root, size);
  const remove = () => removeLower(root, lower);
  return { name: 'bare', directory: workIn(lower.path), lower: lower.path, remove };
}

export async function mountBindfs(root: string, size: number): Promise<Mounted> {
  const lower = await mountLower(root, size);
  const path = join(root, 'bindfs');
  mkdirSync(path);
  await run('bindfs', [lower.path, path]);
  const remove = async (): Promise<void> => {
    await unmount(path);
    await removeLower(root, lower);
  };
  return { name: 'bindfs', directory: workIn(path), lower: lower.path, remove };
}

export async function mountIzo(root: string, size: number): Promise<Mounted> {
  const host = new Host({ name: 'host', root, address: '127.0.0.1', namespace: undefined });
  const remove = () => cleanUp(root, []);
  try {
    await host.izo(['mkizofs', '--size', String(size), '-v', FILESET, host.image]);
    await host.mount(FILESET);
  } catch (error) {
    // Ctrl-C ends `izo mount` as well, and the presto that it had started goes on: it is there a moment later.
    await sleep(STARTING_MS);
    await remove();
    throw error;
  }
  const lower = listMounted(host.runDir)[0]?.lowerPath ?? '';
  return { name: 'izo', directory: workIn(host.mountPoint), lower, remove };
}
