import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import { errnoName } from '../../system/errno.js';
import { close } from '../../system/files.js';
import { openFuseDevice } from '../../system/fuse-device.js';
import { MNT_DETACH, MountFlag, mountFileSystem, unmountPath } from '../../system/mounting.js';
import type { FuseBinding, FuseOperations, NodeId } from '../port.js';
import { Notifier } from './notifier.js';
import { Session, type SessionLog } from './session.js';

export interface DeviceMountOptions {
  /** What `mount` and `df` show as the device. */
  readonly source: string;
  readonly mountPoint: string;
  readonly readOnly: boolean;
  readonly nosuid: boolean;
  readonly nodev: boolean;
  readonly noexec: boolean;
  readonly log: SessionLog;
}

/** Shown by `mount`; the part behind the dot names the helper of umount(8). */
export const FUSE_TYPE = 'fuse.InterMezzo';

/**
 * Mounts by mount(2) and speaks the kernel's protocol itself. Needs root, and no libfuse.
 * @throws IzoError no-fuse, mount-failed
 */
export function mountDevice(options: DeviceMountOptions): DeviceBinding {
  const fd = openFuseDevice();
  if (fd < 0) {
    throw new IzoError('no-fuse', `/dev/fuse cannot be opened: ${errnoName(fd)}`, {
      exit: EXIT.mountFailed,
      remedy: 'Load the kernel module: modprobe fuse',
    });
  }
  const flags =
    (options.readOnly ? MountFlag.RDONLY : 0) |
    (options.nosuid ? MountFlag.NOSUID : 0) |
    (options.nodev ? MountFlag.NODEV : 0) |
    (options.noexec ? MountFlag.NOEXEC : 0);
  const data = `fd=${fd},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions`;
  const result = mountFileSystem(options.source, options.mountPoint, FUSE_TYPE, flags, data);
  if (result < 0) {
    close(fd);
    throw new IzoError(
      'mount-failed',
      `${options.mountPoint} cannot be mounted on: ${errnoName(result)}`,
      {
        exit: EXIT.mountFailed,
        place: { file: options.mountPoint },
        remedy: 'Mounting needs root and an existing directory.',
      },
    );
  }
  return new DeviceBinding(fd, options);
}

/** Notifications to a mount that is gone fail at once. */
const NOTICES_END_MS = 2_000;

/** See mountDevice. */
export class DeviceBinding implements FuseBinding {
  readonly kind = 'device';
  readonly unmounted: Promise<void>;
  readonly #notifier: Notifier;
  #session: Session | undefined;
  #settleUnmounted: () => void = () => undefined;

  constructor(
    private readonly fd: number,
    private readonly options: DeviceMountOptions,
  ) {
    this.#notifier = new Notifier(fd, (errno) => {
      options.log('warn', `the kernel could not be told of a change: ${errnoName(errno)}`);
    });
    this.unmounted = new Promise((resolve) => {
      this.#settleUnmounted = resolve;
    });
  }

  serve(operations: FuseOperations): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#session = new Session(
        this.fd,
        operations,
        this.options.log,
        (error) => {
          if (error === undefined) resolve();
          else reject(error);
        },
        () => {
          // A notification on another thread may still be using the descriptor.
          void this.#notifier.settled(NOTICES_END_MS).then(() => close(this.fd));
          this.#settleUnmounted();
        },
      );
      this.#session.start();
    });
  }

  resumeParked(): void {
    this.#session?.resumeParked();
  }

  get parked(): number {
    return this.#session?.parked ?? 0;
  }

  invalidateEntry(parent: NodeId, name: string): void {
    this.#notifier.entry(parent, name);
  }

  invalidateNode(node: NodeId, contents: boolean): void {
    this.#notifier.node(node, contents);
  }

  invalidated(timeoutMs: number): Promise<void> {
    return this.#notifier.settled(timeoutMs);
  }

  /** Takes the mount away; lazily: also while programs use it. @returns 0 or a negated errno (EBUSY). */
  unmount(lazy: boolean): number {
    return unmountPath(this.options.mountPoint, lazy ? MNT_DETACH : 0);
  }
}
