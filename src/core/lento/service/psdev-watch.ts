import { mkdirSync, readdirSync, watch, type FSWatcher } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel } from '../../psdev/channel.js';
import { PSDEV_VERSION, readHello, SOCKET_SUFFIX, type PrestoHello } from '../../psdev/messages.js';
import { umount } from '../../system/mounting.js';
import { findMountAt } from '../../system/mounts.js';
import { isDying } from '../../system/processes.js';
import { errorText } from '../error-text.js';
import type { LentoLog } from '../log.js';

/** Filesets mounted or unmounted are noticed at once by the directory's changes; this is for what those miss. */
const LOOK_MS = 1_000;
/** A presto that is there says hello at once. One that does not answer must not keep lento from the others. */
const GREETING_MS = 5_000;

/** A presto that has said hello. */
interface Attached {
  readonly channel: Channel;
  readonly hello: PrestoHello;
  /** Of its mount. */
  readonly device: string | undefined;
  /** At the last look it was being killed. */
  dying: boolean;
}

export interface PsdevWatchOptions {
  /** The run-time directory of the psdev. */
  readonly directory: string;
  readonly log: LentoLog;
  /** A presto has said hello. What it says later goes to `onNotice`. */
  readonly onMounted: (hello: PrestoHello, channel: Channel) => void;
  readonly onNotice: (
    fileset: string,
    kind: string,
    head: Readonly<Record<string, unknown>>,
  ) => void;
  readonly onUnmounted: (fileset: string) => void;
}

/** Finds the prestos of a psdev, and finds them again after they or we were restarted. */
export class PsdevWatch {
  readonly #channels = new Map<string, Channel>();
  readonly #attached = new Map<string, Attached>();
  readonly #refused = new Set<string>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: PsdevWatchOptions) {}

  /** Resolves when those that are mounted already have said hello. */
  async start(): Promise<void> {
    const { directory } = this.options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#watcher = watch(directory, () => void this.#look());
    this.#watcher.on('error', () => undefined);
    this.#timer = setInterval(() => {
      void this.#look();
      // Whoever waits there for the permit waits for the network or for another host, not for us.
      for (const channel of this.#channels.values()) channel.notify('alive');
      for (const attached of this.#attached.values()) void this.#lookAt(attached);
    }, LOOK_MS);
    await Promise.race([this.#look(), sleep(GREETING_MS, undefined, { ref: false })]);
  }

  /** Resolves when those that were found have said hello, or will not. */
  async #look(): Promise<void> {
    let names: string[];
    try {
      names = readdirSync(this.options.directory);
    } catch {
      return;
    }
    const found = names.filter((name) => name.endsWith(SOCKET_SUFFIX) && !this.#channels.has(name));
    await Promise.all(found.map((name) => this.#attach(name)));
  }

  /** Resolves at its hello, or when it is gone. */
  #attach(name: string): Promise<void> {
    const socket = connect(join(this.options.directory, name));
    let fileset: string | undefined;
    let greeted: () => void;
    const isGreeted = new Promise<void>((resolve) => (greeted = resolve));
    const channel = new Channel(
      socket,
      () => {
        throw new Error('presto asks nothing');
      },
      (kind, frame) => {
        if (kind === 'hello' && fileset === undefined) {
          fileset = this.#greeted(name, readHello(frame.head), channel);
          greeted();
        } else if (fileset !== undefined) this.options.onNotice(fileset, kind, frame.head);
      },
    );
    this.#channels.set(name, channel);
    void channel.closed.then(() => {
      this.#channels.delete(name);
      this.#attached.delete(name);
      if (fileset !== undefined) this.options.onUnmounted(fileset);
    });
    return Promise.race([isGreeted, channel.closed]);
  }

  #greeted(name: string, hello: PrestoHello, channel: Channel): string | undefined {
    const { log } = this.options;
    try {
      if (hello.version !== PSDEV_VERSION) {
        throw new Error('it is of another version of izo: unmount and mount the fileset again');
      }
      this.options.onMounted(hello, channel);
      this.#refused.delete(name);
      const device = findMountAt(hello.mountPoint)?.device;
      this.#attached.set(name, { channel, hello, device, dying: false });
      return hello.fileset;
    } catch (error) {
      if (!this.#refused.has(name)) log.error({ fileset: hello.fileset }, errorText(error));
      this.#refused.add(name);
      channel.close();
      return undefined;
    }
  }

  /**
   * A presto that is killed while one of its threads tells the kernel of a change can be stuck for ever: the thread waits
   * for a lock that a program holds, which waits for presto; and what the thread writes to keeps the mount alive. To end
   * the mount's connection by force is what frees them all: then programs get an error, and the mount can be cleaned up.
   */
  async #lookAt(attached: Attached): Promise<void> {
    const { hello, device } = attached;
    const wasDying = attached.dying;
    attached.dying = isDying(hello.pid);
    if (!wasDying || !attached.dying || device === undefined) return;
    // Somebody may have mounted it anew at the same place.
    if (findMountAt(hello.mountPoint)?.device !== device) return;
    this.options.log.error(
      { fileset: hello.fileset },
      `presto (pid ${hello.pid}) was killed and does not end: its mount is ended by force`,
    );
    await umount(hello.mountPoint, 'force');
  }

  stop(): void {
    this.#watcher?.close();
    clearInterval(this.#timer);
    for (const channel of this.#channels.values()) channel.close();
  }
}
