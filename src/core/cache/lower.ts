import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasDataJournalFlag, openMeta } from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { E, errnoName } from '../system/errno.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, openat } from '../system/files.js';
import { takeLock } from '../system/lock.js';
import { findMountAt, findMountOf } from '../system/mounts.js';
import { mount, umount, MountFlag } from '../system/mounting.js';
import { run } from '../system/processes.js';
import { attach, detach, type Attached } from './attach.js';
import { claimFileset } from './fileset-directory.js';
import { notFormatted } from './not-formatted.js';

export interface LowerRequest {
  /** Image file or block device. */
  readonly device: string;
  readonly fileset: string;
  readonly runDir: string;
  /** The psdev's own name: `intermezzo0`. */
  readonly psdev: string;
  readonly cacheType: 'ext3' | 'ext4' | undefined;
  readonly readOnly: boolean;
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
  const directory = join(request.runDir, 'lower');
  const path = join(directory, `${request.psdev}.${request.fileset}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  lock(`${path}.lock`, request.device);
  const attached = await mountLower(request, path);
  const rootFd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  let stageFd = -1;
  const release = async (): Promise<void> => {
    if (stageFd >= 0) close(stageFd);
    if (rootFd >= 0) close(rootFd);
    await unmountLower(path);
    await detach(attached);
  };
  try {
    if (rootFd < 0) throw new Error(`${path}: ${errnoName(rootFd)}`);
    claimFileset(rootFd, request.fileset, request.device);
    stageFd = verify(rootFd, request, path);
    return { rootFd, stageFd, path, loopDevice: attached.loopDevice, release };
  } catch (error) {
    await release();
    throw error;
  }
}

function lock(path: string, device: string): void {
  const holder = takeLock(path);
  if (holder === undefined) return;
  throw new IzoError('cache-busy', `this cache is in use by process ${holder}`, {
    exit: EXIT.busy,
    place: { file: device },
    remedy: 'See what is mounted: izo status; unmount it: izo umountizo',
  });
}

async function mountLower(request: LowerRequest, path: string): Promise<Attached> {
  const left = findMountAt(path);
  if (left !== undefined) await unmountLower(path);
  const attached = await attach(request.device);
  try {
    const type = await typeOf(attached.blockDevice, request);
    // ext3 has no delayed allocation and refuses the option; on ext4 the journal of the logs depends on its absence.
    const data = type === 'ext4' ? 'nodelalloc' : '';
    const flags = MountFlag.noatime | (request.readOnly ? MountFlag.readOnly : 0);
    const result = mount(attached.blockDevice, path, type, flags, data);
    if (result === 0) return attached;
    throw new IzoError('cache-mount', `the cache cannot be mounted: ${errnoName(result)}`, {
      place: { file: request.device },
      remedy: `Check it: e2fsck -f ${request.device}`,
    });
  } catch (error) {
    if (findMountOf(attached.blockDevice) === undefined) await detach(attached);
    throw error;
  }
}

async function typeOf(blockDevice: string, request: LowerRequest): Promise<'ext3' | 'ext4'> {
  const { stdout } = await run('blkid', ['-p', '-o', 'value', '-s', 'TYPE', blockDevice], {
    okCodes: [2],
  });
  const type = stdout.trim();
  const { device, fileset, cacheType } = request;
  if (type !== 'ext3' && type !== 'ext4') {
    const what = type === '' ? 'holds no file system' : `holds a file system of type ${type}`;
    throw notFormatted(`this cache ${what}`, device, fileset);
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
function verify(rootFd: number, request: LowerRequest, path: string): number {
  const mounted = findMountAt(path);
  if (mounted?.type === 'ext4' && !mounted.options.includes('nodelalloc')) {
    throw new IzoError('delayed-allocation', 'the cache is mounted with delayed allocation', {
      place: { file: request.device },
      remedy: 'Unmount it everywhere and mount it again.',
    });
  }
  const meta = openMeta(rootFd, request.fileset);
  try {
    for (const name of ['kml', 'lml', 'last_rcvd']) {
      const fd = openat(meta, name, O_RDONLY);
      const journaled = fd >= 0 && hasDataJournalFlag(fd);
      if (fd >= 0) close(fd);
      if (journaled) continue;
      throw new IzoError(
        'not-journaled',
        `the file ${name} of ${request.fileset} lacks the flag +j`,
        {
          place: { file: request.device },
          remedy: `izo mkizofs --convert -v ${request.fileset} ${request.device}`,
        },
      );
    }
    return openat(meta, 'stage', O_RDONLY | O_DIRECTORY);
  } finally {
    close(meta);
  }
}

async function unmountLower(path: string): Promise<void> {
  for (let tries = 0; tries < UNMOUNT_TRIES; tries++) {
    const result = await umount(path, false);
    if (result !== -E.EBUSY) break;
    await new Promise((resolve) => setTimeout(resolve, UNMOUNT_PAUSE_MS));
  }
  if (findMountAt(path) !== undefined) await umount(path, true);
  try {
    rmdirSync(path);
  } catch {
    // Of no consequence: an empty directory.
  }
}
