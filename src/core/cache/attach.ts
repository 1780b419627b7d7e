import { readFileSync, realpathSync, statSync, type Stats } from 'node:fs';
import { basename } from 'node:path';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { findMountOf } from '../system/mounts.js';
import { run } from '../system/processes.js';

/** A block device to mount, and the loop device that was made for it, if any. */
export interface Attached {
  readonly blockDevice: string;
  readonly loopDevice: string | undefined;
}

/**
 * Makes a cache a block device: an image file is attached to a loop device. One that is attached already and mounted
 * nowhere is what a killed presto left, and is used.
 * @throws IzoError no-cache, not-a-cache, cache-busy
 */
export async function attach(cache: string): Promise<Attached> {
  if (requireCache(cache).isBlockDevice()) {
    refuseMounted(cache, cache);
    return { blockDevice: cache, loopDevice: undefined };
  }
  const stale = await loopDevicesOf(cache);
  for (const device of stale) refuseMounted(device, cache);
  const loopDevice =
    stale[0] ??
    (await run('losetup', ['--find', '--show', '--direct-io=off', cache])).stdout.trim();
  return { blockDevice: loopDevice, loopDevice };
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

export async function detach(attached: Attached): Promise<void> {
  if (attached.loopDevice === undefined) return;
  await run('losetup', ['--detach', attached.loopDevice], { okCodes: [1] });
}
