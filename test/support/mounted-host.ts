import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatCache } from '../../src/core/cache/index.js';
import { parseMountOptions } from '../../src/core/config/index.js';
import { cleanUp } from '../../src/core/demo/janitor.js';
import { Host, optionsOfMount, type CacheType } from '../../src/core/demo/host.js';
import { parseSize } from '../../src/core/model/sizes.js';
import { mountFileset } from '../../src/core/presto/mounting/mount.js';
import { listMounted, type MountedState } from '../../src/core/presto/mounting/mounted-state.js';
import { unmountFileset } from '../../src/core/presto/mounting/unmount.js';
import { PROGRAM } from '../../src/core/system/package.js';
import { isRunning, run } from '../../src/core/system/processes.js';
import { checkCache, type Checked } from './check-cache.js';

export const FILESET = 'shared';

export type { CacheType };

/** Tests read and write the mount with calls that wait; should it hang, they fail when the presto is gone. */
const HANG_MS = 120_000;

/**
 * A host with one cache, operated by the functions behind izo's commands: to start those costs more than what they do. It
 * has no lento: all updates are local.
 */
export class MountedHost {
  #watchdog: ChildProcess | undefined;

  private constructor(
    readonly root: string,
    readonly host: Host,
    readonly type: CacheType,
  ) {}

  /** Makes the cache; does not mount it. `at`: a directory for everything of the host. */
  static async make(size = '64M', at = tmpdir(), type: CacheType = 'ext3'): Promise<MountedHost> {
    const made = MountedHost.#at(at, type);
    await formatCache({
      target: made.image,
      fileset: FILESET,
      type,
      size: parseSize(size),
      force: false,
      convert: false,
    });
    return made;
  }

  /** Another host, with a cache that is there: it is moved. */
  static of(image: string, at: string, type: CacheType = 'ext3'): MountedHost {
    const made = MountedHost.#at(at, type);
    renameSync(image, made.image);
    return made;
  }

  static #at(directory: string, type: CacheType): MountedHost {
    const root = mkdtempSync(join(directory, 'izo-host-'));
    // Tests act as other users, too.
    chmodSync(root, 0o755);
    const host = new Host({ name: 'one', root, address: '127.0.0.1', namespace: undefined });
    return new MountedHost(root, host, type);
  }

  get mountPoint(): string {
    return this.host.mountPoint;
  }

  get image(): string {
    return this.host.image;
  }

  get state(): MountedState {
    const [state] = listMounted(this.host.runDir);
    if (state === undefined) throw new Error('nothing is mounted');
    return state;
  }

  /** `options`: of the mount, besides the usual ones. */
  async mount(...options: readonly string[]): Promise<void> {
    const { image, mountPoint, host, type } = this;
    const parsed = parseMountOptions(optionsOfMount(FILESET, type, options));
    await mountFileset(image, mountPoint, parsed, host.runDir);
    this.#watch();
  }

  /** The same where no program may have more than so many descriptors: not `izo mount`, and not what it starts. */
  async mountWithin(descriptors: number): Promise<void> {
    const { image, mountPoint, host, type } = this;
    const options = optionsOfMount(FILESET, type);
    const words = [process.execPath, PROGRAM, 'mount', image, mountPoint, '-o', options];
    const limited = `ulimit -n ${descriptors}; exec "$@"`;
    await run('sh', ['-c', limited, 'sh', ...words], { env: host.environment });
    this.#watch();
  }

  #watch(): void {
    this.#endWatchdog();
    const kill = `sleep ${HANG_MS / 1000}; kill -9 ${this.state.pid}`;
    this.#watchdog = spawn('sh', ['-c', kill], { detached: true, stdio: 'ignore' });
    this.#watchdog.unref();
  }

  async unmount(): Promise<void> {
    this.#endWatchdog();
    await unmountFileset(this.host.runDir, this.state);
  }

  /** Unmounts, and checks that the tree is what the log says and both are sound. */
  async unmountAndCheck(): Promise<Checked> {
    await this.unmount();
    return checkCache(this.image, FILESET);
  }

  /** Ends the presto as a crash of it would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#endWatchdog();
    const { pid } = this.state;
    process.kill(pid, 'SIGKILL');
    while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #endWatchdog(): void {
    const pid = this.#watchdog?.pid;
    this.#watchdog = undefined;
    // The group: the shell's sleep as well.
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  }

  /** Removes everything, in whatever state it is. */
  async remove(): Promise<void> {
    this.#endWatchdog();
    await cleanUp(this.root, []);
  }
}
