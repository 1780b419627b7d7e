import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { isValidHostName } from '../model/names.js';
import { E, errnoName, must } from '../system/errno.js';
import { AT_FDCWD, O_DIRECTORY, O_EXCL, O_RDONLY, close, openat } from '../system/files.js';
import { mountDetached } from '../system/detached-mount.js';
import { run } from '../system/processes.js';
import { attach, detach } from './attach.js';
import { lockCache } from './cache-lock.js';
import { contentsOf } from './contents.js';
import { layOut } from './fileset-directory.js';
import { createImage } from './image.js';
import { setDataJournalOffline } from './journal-flag.js';
import { checkTarget, E2FSCK_MS, refuseInUse, SIZE_MIN, sizeOfTarget, tooSmall } from './target.js';

export interface FormatRequest {
  /** Image file or block device. */
  readonly target: string;
  /** Undefined: named by the first mount. */
  readonly fileset: string | undefined;
  readonly type: 'ext3' | 'ext4';
  /** Bytes; makes the image file, which must not exist. */
  readonly size: number | undefined;
  /** Also over a foreign file system or an older cache. */
  readonly force: boolean;
  /** Keep the ext3 or ext4 file system that is there, and its files. */
  readonly convert: boolean;
  readonly onStep?: (what: string) => void;
}

const MIB = 1024 * 1024;
/** Zeroing the journal and the inode tables of a big disk takes its time. */
const MKE2FS_MS = 60 * 60_000;
/** How long others may keep the file system in use, and how often that is looked for. */
const FREE_MS = 30_000;
const FREE_POLL_MS = 20;

/**
 * Makes a cache: an ext3 or ext4 file system with a fileset's identity and empty logs, whose data go through the
 * journal. Refuses to touch what is in use or holds something else.
 * @throws IzoError; those with exit code 6 have changed nothing
 */
export async function formatCache(request: FormatRequest): Promise<void> {
  const { target, fileset, size } = request;
  // Whoever may write to the file but not mount it would be left with half a cache.
  if (process.geteuid?.() !== 0) {
    throw new IzoError('not-root', 'only root may make a cache', { exit: EXIT.notPermitted });
  }
  if (fileset !== undefined && !isValidHostName(fileset)) {
    throw new IzoError('fileset-name', `"${fileset}" cannot be the name of a fileset`, {
      exit: EXIT.usage,
      remedy: 'Use letters, digits, dots, hyphens and underscores; begin with a letter or digit.',
    });
  }
  if (size !== undefined && size < SIZE_MIN) throw tooSmall(target, size);
  const undo = size === undefined ? () => undefined : createImage(target, size);
  try {
    await refuseInUse(target);
    const unlock = await lockCache(target);
    try {
      await checkTarget(request);
      await format(request);
    } finally {
      unlock();
    }
  } catch (error) {
    undo();
    throw error;
  }
}

async function format(request: FormatRequest): Promise<void> {
  const { target, type, convert, fileset, onStep = () => undefined } = request;
  if (!convert) {
    onStep(`making ${type} on ${target}`);
    await makeFileSystem(request);
  }
  onStep('writing the identity and empty logs');
  const name = await withMounted(request, (root) => layOut(root, fileset, !convert));
  onStep('letting the logs go through the journal');
  await setDataJournalOffline(target, name);
  await run('e2fsck', ['-fn', target], { timeoutMs: E2FSCK_MS });
}

async function makeFileSystem({ target, type }: FormatRequest): Promise<void> {
  const size = sizeOfTarget(target);
  // A small image gets a small journal; mke2fs itself refuses one that does not fit.
  const journal = size < 64 * MIB ? 4 : size < 512 * MIB ? 16 : 64;
  const block = size < 64 * MIB ? '1024' : '4096';
  // Inodes of 256 bytes have room for the attribute trusted.izo and for nanoseconds.
  const args = ['-t', type, '-b', block, '-I', '256', '-m', '0', '-J', `size=${journal}`];
  // Nothing is left for the kernel to do in the background of the first mount.
  if (type === 'ext4') args.push('-E', 'lazy_itable_init=0,lazy_journal_init=0');
  // Once -F: no questions about what is there, and still not what is mounted.
  await run('mke2fs', [...args, '-F', '-q', target], { timeoutMs: MKE2FS_MS });
}

/**
 * Has the new file system mounted for as long as `work` takes, at no place: a container or a service that gets its own
 * mounts in that moment would keep it in use.
 */
async function withMounted<T>(request: FormatRequest, work: (root: number) => T): Promise<T> {
  const { target } = request;
  const attached = await attach(target);
  try {
    const type = (await contentsOf(attached.blockDevice))?.type ?? request.type;
    const mounted = mountDetached(attached.blockDevice, type);
    if (mounted < 0) {
      throw new IzoError('cache-mount', `the new cache cannot be mounted: ${errnoName(mounted)}`, {
        place: { file: target },
      });
    }
    try {
      return withRoot(mounted, work);
    } finally {
      close(mounted);
      await untilFree(attached.blockDevice, target);
    }
  } finally {
    await detach(attached);
  }
}

/**
 * The kernel ends a mount after its last descriptor is closed, and something may look at a device that has just changed:
 * nothing may be read from or written to the image before that has ended.
 * @throws IzoError cache-in-use
 */
async function untilFree(blockDevice: string, target: string): Promise<void> {
  const deadline = Date.now() + FREE_MS;
  for (;;) {
    const fd = openat(AT_FDCWD, blockDevice, O_RDONLY | O_EXCL);
    if (fd >= 0) {
      close(fd);
      return;
    }
    if (fd !== -E.EBUSY || Date.now() > deadline) {
      throw new IzoError('cache-in-use', `the new cache is still in use: ${errnoName(fd)}`, {
        place: { file: target },
        exit: EXIT.busy,
        remedy: 'See who has it open with fuser -v, and format it again.',
      });
    }
    await sleep(FREE_POLL_MS);
  }
}

function withRoot<T>(mounted: number, work: (root: number) => T): T {
  const root = must('open', openat(mounted, '.', O_RDONLY | O_DIRECTORY));
  try {
    return work(root);
  } finally {
    close(root);
  }
}
