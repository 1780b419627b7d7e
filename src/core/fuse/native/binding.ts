import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../../model/errors.js';
import { displayBytes } from '../../model/names.js';
import { E, must } from '../../system/errno.js';
import { cloneFuseDevice, closeDevice, Readiness, umount } from '../../system/mounting.js';
import type { Log } from '../log.js';
import type { MountRequest } from '../mount-request.js';
import { PARK, type FuseBinding, type FuseOperations, type NodeId } from '../port.js';
import type { RequestWatcher } from '../watcher.js';
import { loadAddon, OPCODES, type Addon, type AddonHandler } from './addon.js';
import { Exchange } from './exchange.js';
import { ENDING_MS } from './limits.js';
import { mountString } from './mount-string.js';
import { OPERATIONS } from './operation-table.js';
import type { Operation } from './operation.js';
import { Parking } from './parking.js';
import { bytesOf } from './paths.js';
import { isAsExpected } from './request-memory.js';
import { Watching } from './watching.js';

const FUSE_DEVICE = '/dev/fuse';

/** Prepares a mount by fuse-native and libfuse 2. `serve` makes it. @throws IzoError where these are not there */
export function openNative(request: MountRequest): NativeBinding {
  return new NativeBinding(loadAddon(), request);
}

/** Memory that libfuse's threads use: they may outlive the mount. */
const forever: Buffer[] = [];

/**
 * A mount served through fuse-native: libfuse 2 reads the device in threads of its own, keeps the names, and asks by path.
 * Each of its threads waits for the answer to one request, so a parked request is one that is not answered yet.
 */
export class NativeBinding implements FuseBinding {
  readonly kind = 'native';
  readonly unmounted: Promise<void>;
  readonly #parking = new Parking();
  readonly #log: Log;
  #exchange: Exchange | undefined;
  #device: Readiness | undefined;
  #deviceFd = -1;
  #thread = Buffer.alloc(0);
  #markUnmounted: () => void = () => undefined;
  /** While somebody wants to see the requests. */
  #watching: Watching | undefined;
  #gone = false;
  #checked = false;
  #reported = '';

  constructor(
    private readonly addon: Addon,
    private readonly request: MountRequest,
  ) {
    this.#log = request.log;
    this.unmounted = new Promise((resolve) => {
      this.#markUnmounted = resolve;
    });
  }

  async serve(operations: FuseOperations): Promise<void> {
    const { addon, request } = this;
    const exchange = new Exchange(operations, (directory, name) => {
      this.#unspeakable(directory, name);
    });
    this.#exchange = exchange;
    const options = mountString(request);
    const before = fuseDescriptors();
    this.#thread = Buffer.alloc(addon.threadBytes);
    forever.push(this.#thread);
    const ready = new Promise<void>((resolve, reject) => {
      const [handlers, implemented] = this.#handlers(exchange, resolve);
      const allocate = (bytes: number): Buffer => {
        const memory = Buffer.alloc(bytes);
        forever.push(memory);
        return memory;
      };
      const { mountPoint } = request;
      try {
        addon.mount(mountPoint, options, this.#thread, this, allocate, handlers, implemented);
      } catch {
        const message = `libfuse 2 cannot mount at ${mountPoint}; it says why in the log`;
        reject(new IzoError('native-mount-failed', message));
        return;
      }
      this.#watchEnd(before);
      void this.unmounted.then(() => {
        reject(new IzoError('unmounted', `${mountPoint} was unmounted before it was served`));
      });
    });
    await ready;
  }

  /** By opcode: what the addon calls, and which there are. */
  #handlers(x: Exchange, ready: () => void): [AddonHandler[], Uint32Array] {
    const { addon } = this;
    const handlers = new Array<AddonHandler>(OPCODES).fill(() => undefined);
    const implemented = new Uint32Array(OPCODES);
    const add = (name: string, handler: AddonHandler): void => {
      handlers[addon.opcode(name)] = handler;
      implemented[addon.opcode(name)] = 1;
    };
    const started = addon.signal('init');
    add('init', (request) => {
      started(request, 0);
      ready();
    });
    for (const [name, operation] of Object.entries(OPERATIONS)) {
      const signal = addon.signal(name);
      add(name, (request, _opcode, ...args) => {
        let shown = 0;
        this.#parking.serve(() => {
          const watching = this.#watching;
          if (watching !== undefined) shown = watching.begin(name, args, shown);
          const result = this.#run(x, operation, request, args);
          if (result !== PARK) signal(request, result, ...operation.answer(x, args));
          watching?.end(result);
          return result !== PARK;
        });
      });
    }
    return [handlers, implemented];
  }

  #run(x: Exchange, operation: Operation, request: Buffer, args: readonly unknown[]): number {
    if (this.#gone) return -E.EIO;
    try {
      if (!this.#isUnderstood(request, args)) return -E.EIO;
      x.paths.trim();
      return operation.run(x, request, args);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#log('error', `a request failed: ${text}`);
      return -E.EIO;
    }
  }

  /** The first request shows whether fuse-native lays its memory out as we have it: otherwise none is served. */
  #isUnderstood(request: Buffer, args: readonly unknown[]): boolean {
    if (this.#checked) return true;
    const [path] = args;
    if (typeof path !== 'string' || bytesOf(path) === undefined) return true;
    this.#checked = isAsExpected(request, path);
    if (!this.#checked) this.#log('error', 'this build of fuse-native is another one than 2.2.6');
    return this.#checked;
  }

  #unspeakable(directory: string, name: string): void {
    if (this.#reported === directory) return;
    this.#reported = directory;
    this.#log(
      'warn',
      `${directory} cannot be listed: the name ${displayBytes(name)} in it is no UTF-8`,
    );
  }

  /** libfuse tells nobody that it has ended, but the device does. */
  #watchEnd(before: readonly number[]): void {
    const [fd = -1] = fuseDescriptors().filter((each) => !before.includes(each));
    // A device of our own for the same mount: watching a descriptor makes it non-blocking, which libfuse's must not be.
    this.#deviceFd = must('open', cloneFuseDevice(fd), FUSE_DEVICE);
    this.#device = new Readiness(this.#deviceFd, (gone) => {
      if (!gone || this.#gone) return;
      this.#gone = true;
      setImmediate(() => void this.#end());
    });
    this.#device.watchEnd();
  }

  async #end(): Promise<void> {
    this.#device?.close();
    closeDevice(this.#deviceFd);
    // The kernel has failed them; libfuse's threads still wait.
    this.#parking.resume();
    for (let waited = 0; waited < ENDING_MS && fuseDescriptors().length > 0; waited += 5) {
      await sleep(5);
    }
    this.#exchange?.paths.forgetAll();
    this.addon.letGo(this.request.mountPoint, this.#thread);
    this.#markUnmounted();
  }

  /** libfuse looks names up again when it is asked by path: it gives a directory that was moved another number itself. */
  isContested(): boolean {
    return false;
  }

  get parked(): number {
    return this.#parking.size;
  }

  watch(watcher: RequestWatcher | undefined): void {
    this.#watching = watcher && new Watching(watcher);
  }

  resumeParked(): void {
    this.#parking.resume();
  }

  invalidateEntry(parent: NodeId, name: string): void {
    this.#exchange?.paths.changed(parent, name);
  }

  /** The kernel remembers no attributes; contents, until the next open(2): it cannot be told. */
  invalidateNode(): void {
    return;
  }

  openBacking(): number {
    return 0;
  }

  closeBacking(): void {
    return;
  }

  invalidated(): Promise<void> {
    return Promise.resolve();
  }

  async unmount(lazy: boolean): Promise<void> {
    if (this.#device === undefined || this.#gone) this.#markUnmounted();
    else
      must(
        'umount',
        await umount(this.request.mountPoint, lazy ? 'lazy' : 'plain'),
        this.request.mountPoint,
      );
  }

  /** The device is the addon's until the process ends: requests that still come fail. */
  cut(): Promise<void> {
    this.#gone = true;
    this.#markUnmounted();
    return this.unmounted;
  }
}

function fuseDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .filter((fd) => linkOf(fd) === FUSE_DEVICE)
    .map(Number);
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
