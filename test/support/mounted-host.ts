import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUp } from '../../src/core/demo/janitor.js';
import { Host, PROGRAM } from '../../src/core/demo/host.js';
import { listMounted, type MountedState } from '../../src/core/presto/mounted-state.js';
import { run } from '../../src/core/system/processes.js';
import { checkCache, type Checked } from './check-cache.js';

export const FILESET = 'shared';

export type CacheType = 'ext3' | 'ext4';

/** Tests read and write the mount with calls that wait; should it hang, they fail when the presto is gone. */
const HANG_MS = 120_000;

/** A host with one cache, operated by izo's own commands. It has no lento: all updates are local. */
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
    const { image } = made;
    await made.host.izo(['mkizofs', '-t', type, '--size', size, '-v', FILESET, image]);
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
    await this.host.mount(FILESET, this.type, options);
    this.#watch();
  }

  /** The same where no program may have more than so many descriptors: not `izo mount`, and not what it starts. */
  async mountWithin(descriptors: number): Promise<void> {
    const { image, mountPoint, host } = this;
    const options = `loop,fileset=${FILESET},prestodev=/dev/intermezzo0,cache_type=${this.type}`;
    const words = [process.execPath, PROGRAM, 'mount', image, mountPoint, '-o', options];
    const limited = `ulimit -n ${descriptors}; exec "$@"`;
    await run('sh', ['-c', limited, 'sh', ...words], { env: host.environment });
    this.#watch();
  }

  #watch(): void {
    const kill = `sleep ${HANG_MS / 1000}; kill -9 ${this.state.pid}`;
    this.#watchdog = spawn('sh', ['-c', kill], { detached: true, stdio: 'ignore' });
    this.#watchdog.unref();
  }

  async unmount(): Promise<void> {
    this.#endWatchdog();
    await this.host.izo(['umountizo', this.mountPoint]);
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
    while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 5));
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
