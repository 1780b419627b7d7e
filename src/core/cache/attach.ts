import { closeSync, openSync, readFileSync, realpathSync, statSync, type Stats } from 'node:fs';
import { basename } from 'node:path';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { findMountOf } from '../system/mounts.js';
import { run } from '../system/processes.js';

/** A block device to mount, and the loop device that was made for it, if any. */
export interface Attached {
  readonly blockDevice: string;
  readonly loopDevice: string | undefined;
  /** Descriptor of the loop device, which stays attached while somebody has it open. */
  readonly hold: number | undefined;
}

/** How often a loop device may vanish between its being found and being opened. */
const ATTACH_TRIES = 20;

/**
 * Makes a cache a block device: an image file is attached to a loop device. One that is attached already and mounted
 * nowhere is what a killed presto left, and is used.
 * @throws IzoError no-cache, not-a-cache, cache-busy
 */
export async function attach(cache: string): Promise<Attached> {
  if (requireCache(cache).isBlockDevice()) {
    refuseMounted(cache, cache);
    return { blockDevice: cache, loopDevice: undefined, hold: undefined };
  }
  for (let tries = 0; tries < ATTACH_TRIES; tries++) {
    const left = await loopDevicesOf(cache);
    for (const device of left) refuseMounted(device, cache);
    const loopDevice = left[0] ?? (await newLoopDevice(cache));
    const hold = await holdLoopDevice(loopDevice, cache);
    if (hold === undefined) continue;
    // Nobody tells a loop device that was left that its file has changed since.
    if (left.length > 0) await run('blockdev', ['--flushbufs', loopDevice]);
    return { blockDevice: loopDevice, loopDevice, hold };
  }
  throw new IzoError('cache-busy', 'somebody attaches and detaches this cache all the time', {
    exit: EXIT.busy,
    place: { file: cache },
    remedy: `See who: losetup -j ${cache}`,
  });
}

async function newLoopDevice(cache: string): Promise<string> {
  const { stdout } = await run('losetup', ['--find', '--show', '--direct-io=off', cache]);
  return stdout.trim();
}

/**
 * A device that was detached while somebody (udev, say) looked at it is still there, and goes when he is done: open, it
 * stays. @returns undefined when it has gone before
 */
async function holdLoopDevice(device: string, cache: string): Promise<number | undefined> {
  let fd: number;
  try {
    fd = openSync(device, 'r');
  } catch {
    return undefined;
  }
  try {
    if ((await loopDevicesOf(cache)).includes(device)) return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return undefined;
}

/** @returns what stat(2) says of a cache that is there. @throws IzoError no-cache, not-a-cache */
export function requireCache(cache: string, fileset = 'FSET'): Stats {
  const status = statSync(cache, { throwIfNoEntry: false });
  if (status === undefined) {
    throw new IzoError('no-cache', 'there is no such file', {
      place: { file: cache },
      remedy: `Make it: izo mkizofs --size 1G -v ${fileset} ${cache}`,
    });
  }
  if (status.isFile() || status.isBlockDevice()) return status;
  throw new IzoError('not-a-cache', 'this is neither an image file nor a block device', {
    place: { file: cache },
  });
}

/**
 * The name by which a cache is known: mount(8) attaches an image itself where fstab says `loop`, and hands its helper the
 * loop device; what the user named is the file behind it.
 */
export function cacheBehind(device: string): string {
  try {
    const name = basename(realpathSync(device));
    return readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim();
  } catch {
    return device;
  }
}

/** The loop devices that an image file is attached to. */
export async function loopDevicesOf(image: string): Promise<string[]> {
  const { stdout } = await run('losetup', [
    '--associated',
    image,
    '--noheadings',
    '--output',
    'NAME',
  ]);
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function refuseMounted(blockDevice: string, cache: string): void {
  const mount = findMountOf(blockDevice);
  if (mount === undefined) return;
  throw new IzoError('cache-busy', `this cache is mounted at ${mount.mountPoint}`, {
    exit: EXIT.busy,
    place: { file: cache },
    remedy: `Use that mount, or end it first: umount ${mount.mountPoint}`,
  });
}

/** Ends what attach() began. The device goes when its last user lets go: that may be somebody else, a moment later. */
export async function detach({ loopDevice, hold }: Attached): Promise<void> {
  try {
    // Held until then: the number of a device that has gone may be somebody else's by now.
    if (loopDevice !== undefined) await run('losetup', ['--detach', loopDevice], { okCodes: [1] });
  } finally {
    if (hold !== undefined) closeSync(hold);
  }
}
