import { closeSync, openSync, readFileSync, statSync, constants, type Stats } from 'node:fs';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { decodeDevice } from '../system/device-numbers.js';
import { runDirectory } from '../system/directories.js';
import { findMountOf } from '../system/mounts.js';
import { run } from '../system/processes.js';
import { loopDevicesOf } from './attach.js';
import { contentsOf, hasJournal, namesInMeta } from './contents.js';
import { UNNAMED } from './fileset-directory.js';

/** The journal of ext3 needs 1,024 blocks, and there must be room for something else. */
export const SIZE_MIN = 8 * 1024 * 1024;

/** A disk of many files is read for a while. */
export const E2FSCK_MS = 60 * 60_000;

/** What sysfs counts in, whatever the device's own sectors are. */
const SECTOR_BYTES = 512;

interface Intent {
  readonly target: string;
  readonly fileset: string | undefined;
  readonly force: boolean;
  readonly convert: boolean;
}

/** Something in the way of making a cache. Nothing has been changed. */
export function refusal(
  target: string,
  code: string,
  message: string,
  remedy: string,
  cause?: unknown,
): IzoError {
  return new IzoError(code, message, {
    exit: EXIT.refused,
    place: { file: target },
    remedy,
    cause,
  });
}

/** @returns what stat(2) says of a target that is there. @throws IzoError no-target, not-a-target */
function statTarget(target: string): Stats {
  const status = statSync(target, { throwIfNoEntry: false });
  if (status === undefined) {
    throw refusal(target, 'no-target', 'there is no such file', 'Make it as well: --size 1G');
  }
  if (!status.isFile() && !status.isBlockDevice()) {
    throw refusal(target, 'not-a-target', 'this is neither a file nor a block device', 'Name one.');
  }
  return status;
}

/** Bytes of a file or a block device. */
export function sizeOfTarget(target: string): number {
  const status = statTarget(target);
  if (status.isFile()) return status.size;
  const { major, minor } = decodeDevice(status.rdev);
  return Number(readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'utf8')) * SECTOR_BYTES;
}

/**
 * Makes sure that a cache may be made of a target that this process has locked.
 * @throws IzoError in-use, too-small, foreign; for a conversion: not-ext, no-journal, not-clean, wrong-fileset
 */
export async function checkTarget(intent: Intent): Promise<void> {
  const { target, force, convert } = intent;
  await refuseInUse(target);
  const size = sizeOfTarget(target);
  if (!convert && size < SIZE_MIN) throw tooSmall(target, size);
  if (convert) await refuseConversion(intent);
  else if (!force) await refuseContents(target);
}

export function tooSmall(target: string, size: number): IzoError {
  return refusal(
    target,
    'too-small',
    `${size} bytes are too few for a cache`,
    `Use ${SIZE_MIN / 1024 / 1024} MiB or more.`,
  );
}

/** @throws IzoError no-target, not-a-target, in-use: says better than the lock of a cache who uses it */
export async function refuseInUse(target: string): Promise<void> {
  const status = statTarget(target);
  const inUse = (where: string, remedy: string): IzoError =>
    refusal(target, 'in-use', `it is ${where}`, `Release it first: ${remedy}`);
  const devices = status.isBlockDevice() ? [target] : await loopDevicesOf(target);
  for (const device of devices) {
    const mounted = findMountOf(device);
    if (mounted === undefined) continue;
    const { mountPoint } = mounted;
    const isLower = mountPoint.startsWith(`${runDirectory()}/`);
    if (isLower) throw inUse('the cache of a fileset that is mounted', 'izo umountizo');
    throw inUse(`mounted at ${mountPoint}`, `umount ${mountPoint}`);
  }
  if (status.isFile()) {
    const [loop] = devices;
    if (loop !== undefined) throw inUse(`attached to ${loop}`, `losetup -d ${loop}`);
    return;
  }
  try {
    // The kernel refuses it for what is mounted anywhere, swapped to, or part of a RAID or a volume group.
    closeSync(openSync(target, constants.O_RDONLY | constants.O_EXCL));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    throw inUse('in use', `see lsblk ${target}`);
  }
}

async function refuseContents(target: string): Promise<void> {
  const found = await contentsOf(target);
  if (found === undefined) return;
  const names = isExt(found.type) ? await namesInMeta(target) : [];
  if (names.length > 0) {
    const whose = names.includes(UNNAMED) ? 'a cache' : `the cache of ${names.join(', ')}`;
    const remedy = 'Mount it, or give -F if its files may be destroyed.';
    throw refusal(target, 'foreign', `it holds ${whose} already`, remedy);
  }
  const keep = isExt(found.type) ? ', or --convert to keep it' : '';
  const remedy = `Give -F if that may be destroyed${keep}.`;
  throw refusal(target, 'foreign', `it holds ${found.words}`, remedy);
}

function isExt(type: string | undefined): type is 'ext3' | 'ext4' {
  return type === 'ext3' || type === 'ext4';
}

async function refuseConversion({ target, fileset }: Intent): Promise<void> {
  const found = await contentsOf(target);
  const type = found?.type;
  if (!isExt(type) && type !== 'ext2') {
    const message = `there is no ext3 or ext4 to convert: it holds ${found?.words ?? 'nothing'}`;
    throw refusal(target, 'not-ext', message, 'Leave --convert out.');
  }
  if (!(await hasJournal(target))) {
    throw refusal(target, 'no-journal', `this ${type} has no journal`, `tune2fs -j ${target}`);
  }
  const names = (await namesInMeta(target)).filter((name) => name !== UNNAMED);
  if (names.length > 0 && !names.includes(fileset ?? names[0] ?? '')) {
    const message = `it is the cache of ${names.join(', ')} already`;
    throw refusal(target, 'wrong-fileset', message, `Give its name: -v ${names[0] ?? ''}`);
  }
  try {
    await run('e2fsck', ['-fn', target], { timeoutMs: E2FSCK_MS });
  } catch (cause) {
    if (!(cause instanceof IzoError) || cause.code !== 'program-failed') throw cause;
    const message = 'its file system has errors, or was not unmounted';
    throw refusal(target, 'not-clean', message, `e2fsck -f ${target}`, cause);
  }
}
