import { resolve } from 'node:path';
import { DEFAULT_PSDEV, psdevName, type MountOptions } from '../../config/index.js';
import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import { E, errnoName } from '../../system/errno.js';
import { mount, MountFlag } from '../../system/mounting.js';
import { findMountAt } from '../../system/mounts.js';
import type { BindingKind } from './bindings.js';
import { mountFileset } from './mount.js';
import { isAlive, listMounted, type MountedState } from './mounted-state.js';
import { busy } from './unmount.js';

/** What mounting has come to. */
export type Mounted =
  | { readonly done: 'mounted'; readonly binding: BindingKind }
  | { readonly done: 'was-mounted' }
  | { readonly done: 'remounted'; readonly readOnly: boolean };

/** Mounts a fileset or, with the option `remount`, changes how it is mounted. @throws IzoError */
export async function mountOrRemount(
  device: string,
  mountPoint: string,
  options: MountOptions,
  runDir: string,
  onProgress: (words: string) => void,
): Promise<Mounted> {
  if (!options.remount) {
    const binding = await mountFileset(device, mountPoint, options, runDir, onProgress);
    return binding === undefined ? { done: 'was-mounted' } : { done: 'mounted', binding };
  }
  const at = resolve(mountPoint);
  const state = listMounted(runDir).find((each) => each.mountPoint === at && isAlive(each.pid));
  if (state === undefined || findMountAt(at) === undefined) {
    throw new IzoError('not-mounted', `no fileset is mounted at ${at}`, {
      exit: EXIT.notRunning,
      remedy: `Mount it: mount ${at}`,
    });
  }
  refuseOther(state, options);
  setReadOnly(state, options.readOnly, options);
  return { done: 'remounted', readOnly: options.readOnly };
}

/** Only between ro and rw, and what the kernel alone sees to, can a mount be changed. */
function refuseOther(state: MountedState, options: MountOptions): void {
  const said = options.prestodev !== DEFAULT_PSDEV;
  const other = [
    options.fileset !== undefined && options.fileset !== state.fileset ? 'fileset' : '',
    said && psdevName(options.prestodev) !== state.psdev ? 'prestodev' : '',
    options.mtpt !== undefined && resolve(options.mtpt) !== state.mountPoint ? 'mtpt' : '',
  ].filter((name) => name !== '');
  if (other.length === 0) return;
  throw new IzoError('no-remount', `remount cannot change ${other.join(' and ')}`, {
    exit: EXIT.refused,
    remedy: 'Unmount it and mount it again.',
  });
}

type Flags = Pick<MountOptions, 'nosuid' | 'nodev' | 'noexec'>;

/**
 * Has the kernel let updates of programs through, or refuse them (EROFS). What comes from other hosts is applied all the
 * same. @throws IzoError busy: files are open for writing
 */
export function setReadOnly(state: MountedState, readOnly: boolean, flags?: Flags): void {
  const { mountPoint, device } = state;
  const is = findMountAt(mountPoint)?.options ?? [];
  const { nosuid, nodev, noexec } = flags ?? {
    nosuid: is.includes('nosuid'),
    nodev: is.includes('nodev'),
    noexec: is.includes('noexec'),
  };
  const bits =
    MountFlag.remount |
    (readOnly ? MountFlag.readOnly : 0) |
    (nosuid ? MountFlag.nosuid : 0) |
    (nodev ? MountFlag.nodev : 0) |
    (noexec ? MountFlag.noexec : 0);
  const result = mount(device, mountPoint, '', bits, '');
  if (result === 0) return;
  if (result === -E.EBUSY) throw busy(mountPoint, 'is being written to');
  throw new IzoError('remount-failed', `${mountPoint}: ${errnoName(result)}`);
}
