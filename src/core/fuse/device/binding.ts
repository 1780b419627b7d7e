import { IzoError } from '../../model/errors.js';
import { E, must, SystemError } from '../../system/errno.js';
import { closeBacking, openBacking } from '../../system/fuse-backing.js';
import {
  closeDevice,
  mount,
  MountFlag,
  openFuseDevice,
  Readiness,
  umount,
  writeDeviceInBackground,
} from '../../system/mounting.js';
import { FUSE_TYPE } from '../port.js';
import type { MountRequest } from '../mount-request.js';
import type { FuseBinding, FuseOperations, NodeId } from '../port.js';
import type { RequestWatcher } from '../watcher.js';
import type { Log } from '../log.js';
import { Notifier } from './notifier.js';
import { Session } from './session.js';

/**
 * Mounts. Nothing answers before `serve` is called; whoever touches the mount waits so long.
 * @throws IzoError or SystemError where it cannot be mounted.
 */
export function mountDevice(options: MountRequest): DeviceBinding {
  const fd = openFuseDevice();
  if (fd === -E.ENOENT || fd === -E.ENODEV || fd === -E.ENXIO) {
    throw new IzoError('no-fuse', 'this kernel has no FUSE: /dev/fuse is not there', {
      remedy: 'Load it with `modprobe fuse`; in a container, pass /dev/fuse in.',
    });
  }
  must('open', fd, '/dev/fuse');
  // As root, for all users; who may do what is decided by the kernel from owner and mode (default_permissions).
  const data = `fd=${fd},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions`;
  const result = mount(options.source, options.mountPoint, FUSE_TYPE, mountFlags(options), data);
  if (result < 0) {
    closeDevice(fd);
    throw new SystemError('mount', -result, options.mountPoint);
  }
  return new DeviceBinding(fd, options.mountPoint, options.log);
}

function mountFlags({ readOnly, mountOptions = {} }: MountRequest): number {
  const flag = (wanted: boolean | undefined, bit: number) => (wanted === true ? bit : 0);
  return (
    flag(readOnly, MountFlag.readOnly) |
    flag(mountOptions.nosuid, MountFlag.nosuid) |
    flag(mountOptions.nodev, MountFlag.nodev) |
    flag(mountOptions.noexec, MountFlag.noexec) |
    flag(mountOptions.noatime, MountFlag.noatime) |
    flag(mountOptions.nodiratime, MountFlag.nodiratime) |
    flag(mountOptions.sync, MountFlag.synchronous) |
    flag(mountOptions.dirsync, MountFlag.dirsync)
  );
}

/** A mount served over /dev/fuse. */
export class DeviceBinding implements FuseBinding {
  readonly kind = 'device';
  readonly unmounted: Promise<void>;
  readonly #readiness: Readiness;
  readonly #notifier: Notifier;
  #session: Session | undefined;
  #operations: FuseOperations | undefined;
  #markUnmounted: () => void = () => undefined;
  #scheduled = false;
  /** fuse_dev_poll() says so when the connection is cut; nothing that could be read matters any more. */
  #gone = false;
  #ended = false;

  constructor(
    private readonly fd: number,
    private readonly mountPoint: string,
    private readonly log: Log,
  ) {
    this.unmounted = new Promise((resolve) => {
      this.#markUnmounted = resolve;
    });
    this.#readiness = new Readiness(fd, (gone) => {
      this.#gone ||= gone;
      this.#schedule();
    });
    const locks = {
      locksDirectory: (node: NodeId) => this.#session?.parking.locksDirectory(node) ?? false,
      locksPages: (node: NodeId) => this.#session?.parking.locksPages(node) ?? false,
    };
    const send = writeDeviceInBackground.bind(undefined, fd);
    const isKnown = (node: NodeId) => this.#operations?.isKnown(node) ?? false;
    this.#notifier = new Notifier(send, locks, log, isKnown);
  }

  /** Rejects with an IzoError where the kernel is too old; then the mount is taken away again. */
  async serve(operations: FuseOperations): Promise<void> {
    this.#operations = operations;
    const ready = new Promise<void>((resolve, reject) => {
      this.#session = new Session(
        this.fd,
        operations,
        {
          ready: resolve,
          refused: reject,
          attributesChanged: (node) => {
            this.invalidateNode(node, false);
          },
          entryStale: (parent, name) => {
            this.invalidateEntry(parent, name);
          },
          isUntold: (parent, name) => this.#notifier.isUntold(parent, name),
          parkedChanged: () => {
            this.#parkedChanged();
          },
        },
        this.log,
      );
      void this.unmounted.then(() => {
        reject(new IzoError('unmounted', `${this.mountPoint} was unmounted before it was served`));
      });
    });
    this.#readiness.watch();
    try {
      await ready;
    } catch (error) {
      if (!this.#ended) await umount(this.mountPoint, 'lazy');
      throw error;
    }
  }

  /**
   * Serves in a later phase of this turn of the event loop. Not at once: a wake comes from libuv directly, and promises
   * that operations settle would wait for the next event.
   */
  #schedule(): void {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#ended || this.#session === undefined) return;
    switch (this.#gone ? 'gone' : this.#session.turn()) {
      case 'drained':
        return;
      case 'more':
        this.#schedule();
        return;
      case 'full':
        this.log('warn', 'too many requests are waiting: further ones wait in the kernel');
        this.#readiness.watchEnd();
        return;
      case 'gone':
        void this.#end();
    }
  }

  async #end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#readiness.close();
    // The kernel has failed the parked requests itself.
    this.#session?.parking.clear();
    await this.#notifier.stop();
    closeDevice(this.fd);
    this.#markUnmounted();
  }

  isContested(): boolean {
    return this.#session?.contested === true;
  }

  get parked(): number {
    return this.#session?.parking.size ?? 0;
  }

  resumeParked(): void {
    if (!this.#ended) this.#session?.resumeParked();
  }

  watch(watcher: RequestWatcher | undefined): void {
    if (!this.#ended) this.#session?.watch(watcher);
  }

  #parkedChanged(): void {
    this.#notifier.locksChanged();
    if (this.#session?.parking.full === false) {
      this.#readiness.watch();
      this.#schedule();
    }
  }

  invalidateEntry(parent: NodeId, name: string): void {
    this.#notifier.entry(parent, name);
  }

  invalidateNode(node: NodeId, contents: boolean): void {
    this.#notifier.node(node, contents);
  }

  openBacking(fd: number): number {
    if (this.#session?.passthrough !== true) return -E.EOPNOTSUPP;
    const backing = openBacking(this.fd, fd);
    // Without CAP_SYS_ADMIN in the first user namespace no file can be.
    if (backing === -E.EPERM) this.#session.passthrough = false;
    return backing;
  }

  closeBacking(backing: number): void {
    // The kernel drops them with the connection; the descriptor is somebody else's then.
    if (!this.#ended) closeBacking(this.fd, backing);
  }

  invalidated(timeoutMs: number): Promise<void> {
    return this.#notifier.settled(timeoutMs);
  }

  async unmount(lazy: boolean): Promise<void> {
    must('umount', await umount(this.mountPoint, lazy ? 'lazy' : 'plain'), this.mountPoint);
    // Nobody reads the device yet, so nobody would notice.
    if (this.#session === undefined) await this.#end();
  }

  /** The kernel aborts the connection when nobody has its device open any more. */
  async cut(): Promise<void> {
    await this.#end();
    await this.unmounted;
  }
}
