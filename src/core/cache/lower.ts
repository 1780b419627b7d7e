import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasDataJournalFlag, openMeta } from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import { E, errnoName, must } from '../system/errno.js';
import { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, close, openat } from '../system/files.js';
import { findMountAt, findMountOf } from '../system/mounts.js';
import { mount, umount, MountFlag } from '../system/mounting.js';
import { attach, detach, requireCache, type Attached } from './attach.js';
import { lockCache } from './cache-lock.js';
import { contentsOf } from './contents.js';
import { claimFileset, LOG_NAMES } from './fileset-directory.js';
import { notFormatted } from './not-formatted.js';

type CacheType = 'ext3' | 'ext4';

export interface LowerRequest {
  /** Image file or block device. */
  readonly device: string;
  readonly fileset: string;
  readonly runDir: string;
  /** The psdev's own name: `intermezzo0`. */
  readonly psdev: string;
  readonly cacheType: CacheType | undefined;
}

/** A cache mounted where only root reaches it, held by this process. */
export interface LowerMount {
  /** Descriptor of the root of the lower tree. */
  readonly rootFd: number;
  /** Descriptor of `.intermezzo/<fileset>/stage`. */
  readonly stageFd: number;
  readonly path: string;
  readonly loopDevice: string | undefined;
  release(): Promise<void>;
}

/** The last user may let go a moment later: the kernel ends a FUSE mount's work in the background. */
const UNMOUNT_TRIES = 100;
const UNMOUNT_PAUSE_MS = 20;

/**
 * Mounts a cache's lower tree and takes it for this process. What a killed presto has left is used as it is.
 * @throws IzoError cache-busy, no-cache, not-formatted, wrong-fileset, cache-type, not-journaled, delayed-allocation
 */
export async function acquireLower(request: LowerRequest): Promise<LowerMount> {
  const { runDir, psdev, fileset, device } = request;
  const path = join(runDir, 'lower', `${psdev}.${fileset}`);
  requireCache(device, fileset);
  mkdirSync(join(runDir, 'lower'), { recursive: true, mode: 0o700 });
  /** What has been taken so far, to be given back in reverse order. */
  const taken: (() => void | Promise<void>)[] = [];
  const release = async (): Promise<void> => {
    for (const giveBack of taken.splice(0).reverse()) await giveBack();
  };
  try {
    taken.push(await lockCache(device));
    // Two caches of one name would be mounted over each other.
    taken.push(await lockCache(`${path}.lock`, device));
    const { attached, type } = await mountLower(request, path);
    taken.push(() => detach(attached));
    taken.push(() => unmountLower(path));
    const rootFd = must('open', openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY), path);
    taken.push(() => void close(rootFd));
    claimFileset(rootFd, request);
    const stageFd = verify(rootFd, request, path, type);
    taken.push(() => void close(stageFd));
    return { rootFd, stageFd, path, loopDevice: attached.loopDevice, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** A lower tree is mounted, and not yet known to be a cache. */
interface Mounted {
  readonly attached: Attached;
  readonly type: CacheType;
}

/**
 * What a cache's file system is mounted with. Found damaged, it takes no more updates: to go on writing is how a damaged
 * file system loses what it still has. ext3 has no delayed allocation and refuses to be told; on ext4 the order of the logs
 * and the tree depends on its absence.
 */
export function lowerMountOptions(type: CacheType): string {
  const failing = 'errors=remount-ro';
  return type === 'ext4' ? `${failing},nodelalloc` : failing;
}

async function mountLower(request: LowerRequest, path: string): Promise<Mounted> {
  if (findMountAt(path) !== undefined) await unmountLower(path);
  const attached = await attach(request.device);
  try {
    const type = await typeOf(attached.blockDevice, request);
    const data = lowerMountOptions(type);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const result = mount(attached.blockDevice, path, type, MountFlag.noatime, data);
    if (result === 0) return { attached, type };
    throw new IzoError('cache-mount', `the cache cannot be mounted: ${errnoName(result)}`, {
      place: { file: request.device },
      remedy: `Check it: e2fsck -f ${request.device}`,
    });
  } catch (error) {
    removeEmpty(path);
    if (findMountOf(attached.blockDevice) === undefined) await detach(attached);
    throw error;
  }
}

async function typeOf(blockDevice: string, request: LowerRequest): Promise<CacheType> {
  const found = await contentsOf(blockDevice);
  const { device, fileset, cacheType } = request;
  const type = found?.type;
  if (type !== 'ext3' && type !== 'ext4') {
    const what = found === undefined ? 'holds no file system' : `holds ${found.words}`;
    throw notFormatted(`this is no cache: it ${what}`, device, fileset);
  }
  if (cacheType !== undefined && cacheType !== type) {
    throw new IzoError('cache-type', `the cache is ${type}, not ${cacheType}`, {
      place: { file: device },
      remedy: `Mount it with cache_type=${type}.`,
    });
  }
  return type;
}

/** What the journal's guarantee rests on. @returns the stage's descriptor */
function verify(rootFd: number, request: LowerRequest, path: string, type: CacheType): number {
  // Not what was asked for, but what is: a file system that was mounted elsewhere before keeps its options.
  if (type === 'ext4' && findMountAt(path)?.options.includes('nodelalloc') !== true) {
    throw new IzoError('delayed-allocation', 'the cache is mounted with delayed allocation', {
      place: { file: request.device },
      remedy: 'Unmount it everywhere and mount it again.',
    });
  }
  const meta = openMeta(rootFd, request.fileset);
  try {
    for (const name of LOG_NAMES) requireFlag(meta, name, request);
    return must('open', openat(meta, 'stage', O_RDONLY | O_DIRECTORY | O_NOFOLLOW), 'stage');
  } finally {
    close(meta);
  }
}

function requireFlag(meta: number, name: string, { fileset, device }: LowerRequest): void {
  const fd = openat(meta, name, O_RDONLY | O_NOFOLLOW);
  const journaled = fd >= 0 && hasDataJournalFlag(fd);
  if (fd >= 0) close(fd);
  if (journaled) return;
  throw new IzoError('not-journaled', `the file ${name} of ${fileset} lacks the flag +j`, {
    place: { file: device },
    remedy: `izo mkizofs --convert -v ${fileset} ${device}`,
  });
}

async function unmountLower(path: string): Promise<void> {
  for (let tries = 0; tries < UNMOUNT_TRIES; tries++) {
    const result = await umount(path);
    if (result !== -E.EBUSY) break;
    await sleep(UNMOUNT_PAUSE_MS);
  }
  if (findMountAt(path) !== undefined) await umount(path, 'lazy');
  removeEmpty(path);
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Of no consequence: an empty directory.
  }
}
