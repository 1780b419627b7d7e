import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatLogs } from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { isValidHostName, META_DIRECTORY } from '../model/names.js';
import { errnoName } from '../system/errno.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, openat } from '../system/files.js';
import { mount, umount, MountFlag } from '../system/mounting.js';
import { findMountOf } from '../system/mounts.js';
import { run } from '../system/processes.js';
import { attach, detach, loopDevicesOf } from './attach.js';
import { UNNAMED } from './fileset-directory.js';
import { createImage } from './image.js';
import { setDataJournalOffline } from './journal-flag.js';

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
  readonly runDir: string;
  readonly onStep?: (what: string) => void;
}

/** The journal of ext3 needs 1,024 blocks, and there must be room for something else. */
const SIZE_MIN = 8 * 1024 * 1024;
const MIB = 1024 * 1024;

/**
 * Makes a cache: an ext3 or ext4 file system with a fileset's identity and empty logs, whose data go through the
 * journal. Refuses to touch what is in use or holds something else.
 * @throws IzoError; those with exit code 6 have changed nothing
 */
export async function formatCache(request: FormatRequest): Promise<void> {
  const { target, fileset, onStep = () => undefined } = request;
  if (fileset !== undefined && !isValidHostName(fileset)) {
    throw new IzoError('fileset-name', `"${fileset}" cannot be the name of a fileset`, {
      exit: EXIT.usage,
      remedy: 'Use letters, digits, dots, hyphens and underscores; begin with a letter or digit.',
    });
  }
  if (request.size !== undefined) createImage(target, request.size);
  await refuse(request);
  if (!request.convert) {
    onStep(`making ${request.type} on ${target}`);
    await makeFileSystem(request);
  }
  onStep('writing the identity and empty logs');
  const name = fileset ?? UNNAMED;
  await withMounted(request, (root) => layOut(root, fileset));
  onStep('letting the logs go through the journal');
  await setDataJournalOffline(target, name);
  await run('e2fsck', ['-fn', target]);
}

async function refuse(request: FormatRequest): Promise<void> {
  const { target, force, convert } = request;
  const refused = (code: string, message: string, remedy: string): IzoError =>
    new IzoError(code, message, { exit: EXIT.refused, place: { file: target }, remedy });
  const status = statSync(target, { throwIfNoEntry: false });
  if (status === undefined) {
    throw refused('no-target', 'there is no such file', `Make it as well: --size 1G`);
  }
  if (!status.isFile() && !status.isBlockDevice()) {
    throw refused('not-a-target', 'this is neither a file nor a block device', 'Name one.');
  }
  const devices = status.isBlockDevice() ? [target] : await loopDevicesOf(target);
  for (const device of devices) {
    const mounted = findMountOf(device);
    if (mounted === undefined && status.isBlockDevice()) continue;
    const where =
      mounted === undefined ? `attached to ${device}` : `mounted at ${mounted.mountPoint}`;
    const release = mounted === undefined ? `losetup -d ${device}` : `umount ${mounted.mountPoint}`;
    throw refused('in-use', `it is ${where}`, `Release it first: ${release}`);
  }
  if (status.isFile() && status.size < SIZE_MIN) {
    throw refused(
      'too-small',
      `${status.size} bytes are too few for a cache`,
      'Use 8 MiB or more.',
    );
  }
  const found = await contentsOf(target);
  if (convert) {
    if (found === 'ext3' || found === 'ext4') return;
    throw refused('not-ext', 'there is no ext3 or ext4 to convert', 'Leave --convert out.');
  }
  if (found === undefined || force) return;
  throw refused(
    'foreign',
    `it holds ${found}`,
    'Give -F if that may be destroyed, or --convert to keep it.',
  );
}

/** What is on it, in a word; undefined for nothing known. */
async function contentsOf(target: string): Promise<string | undefined> {
  const { stdout, code } = await run('blkid', ['-p', '-o', 'export', target], {
    okCodes: [2, 8],
  });
  if (code !== 0) return undefined;
  const field = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1];
  return field('TYPE') ?? field('PTTYPE') ?? undefined;
}

async function makeFileSystem({ target, type }: FormatRequest): Promise<void> {
  const { size } = statSync(target);
  // A small image gets a small journal; mke2fs itself refuses one that does not fit.
  const journal = size > 0 && size < 64 * MIB ? 4 : size > 0 && size < 512 * MIB ? 16 : 64;
  const block = size > 0 && size < 64 * MIB ? ['-b', '1024'] : ['-b', '4096'];
  const lazy = type === 'ext4' ? ['-E', 'lazy_itable_init=0,lazy_journal_init=0'] : [];
  const args = ['-t', type, '-I', '256', '-m', '0', '-J', `size=${journal}`, ...block, ...lazy];
  await run('mke2fs', [...args, '-F', '-q', target]);
}

async function withMounted(request: FormatRequest, work: (root: number) => void): Promise<void> {
  mkdirSync(request.runDir, { recursive: true, mode: 0o700 });
  const path = mkdtempSync(join(request.runDir, 'mkizofs-'));
  const attached = await attach(request.target);
  try {
    const type = (await contentsOf(attached.blockDevice)) ?? request.type;
    const result = mount(attached.blockDevice, path, type, MountFlag.noatime, '');
    if (result < 0) {
      throw new IzoError('cache-mount', `the new cache cannot be mounted: ${errnoName(result)}`, {
        place: { file: request.target },
      });
    }
    const root = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    try {
      work(root);
    } finally {
      close(root);
    }
  } finally {
    await umount(path, false);
    await detach(attached);
    rmdirSync(path);
  }
}

function layOut(root: number, fileset: string | undefined): void {
  const at = `/proc/self/fd/${root}`;
  const meta = join(at, META_DIRECTORY);
  if (fileset === undefined) {
    const directory = join(meta, UNNAMED);
    for (const path of [meta, directory]) if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
    makeUnnamed(directory);
  } else formatLogs(root, fileset);
  const found = join(at, 'lost+found');
  // e2fsck makes it again when it needs it; an empty one only puzzles.
  if (existsSync(found) && readdirSync(found).length === 0) rmdirSync(found);
}

function makeUnnamed(directory: string): void {
  const fd = openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
  try {
    for (const name of ['kml', 'lml', 'last_rcvd']) {
      const file = openat(fd, name, 0o2 | 0o100, 0o600);
      if (file >= 0) close(file);
    }
  } finally {
    close(fd);
  }
  // Before the flag is set on their parent: contents in the stage must not inherit it.
  for (const name of ['stage', 'conflicts']) {
    const path = join(directory, name);
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
  }
}
