import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatCache } from '../../src/core/cache/index.js';
import type { Caller, Entry } from '../../src/core/fuse/port.js';
import { openLogs, realDisk, type Disk } from '../../src/core/journal/index.js';
import { adoptTree } from '../../src/core/presto/mounting/adoption.js';
import { IdentityStore } from '../../src/core/presto/tree/identity-store.js';
import { Presto } from '../../src/core/presto/presto.js';
import { recover } from '../../src/core/presto/mounting/recovery.js';
import { Attr } from '../../src/core/system/attr.js';
import { run } from '../../src/core/system/processes.js';
import { checkLower } from './check-cache.js';

const FILESET = 'shared';

/** What ends a presto in the middle of an operation. */
class Crash extends Error {}

/** Calls that change the disk, or come between such: each has a moment before it and one after it. */
const STEPS = {
  tree: [
    ...['createFile', 'mkdir', 'mknod', 'symlink', 'link', 'unlink', 'rmdir', 'rename'],
    ...['setattr', 'setxattr', 'removexattr', 'touch'],
  ],
  table: ['place', 'detach', 'moved'],
  contents: ['begin', 'close'],
} as const;

const MERGE_STEPS = ['take', 'begin', 'keepConflict', 'remove'];

export const ROOT: Caller = { uid: 0, gid: 0, pid: 1 };

type Method = (...args: unknown[]) => unknown;

/**
 * A lower tree with logs, without a mount: operations of a presto are called directly, so that it can be ended at any
 * moment of one.
 */
export class TornPresto {
  presto!: Presto;
  #moments = 0;
  #crashAt = 0;
  #rootFd = -1;
  #stageFd = -1;

  private constructor(
    private readonly directory: string,
    readonly root: string,
  ) {}

  static async make(): Promise<TornPresto> {
    const directory = mkdtempSync(join(tmpdir(), 'izo-torn-'));
    const target = join(directory, 'cache');
    const root = join(directory, 'root');
    const made = new TornPresto(directory, root);
    const options = { target, fileset: FILESET, type: 'ext3', size: 64 * 2 ** 20 } as const;
    await formatCache({
      ...options,
      force: false,
      convert: false,
      onStep: () => undefined,
    });
    await run('mkdir', [root]);
    await run('mount', ['-o', 'loop', target, root]);
    made.#rootFd = openSync(root, 'r');
    made.#stageFd = openSync(join(root, '.intermezzo', FILESET, 'stage'), 'r');
    await made.#start();
    adoptTree(made.presto);
    return made;
  }

  /** Descriptor of the lower tree's root. */
  get rootFd(): number {
    return this.#rootFd;
  }

  /** The file that is the disk. */
  get image(): string {
    return join(this.directory, 'cache');
  }

  async remove(): Promise<void> {
    this.#abandon();
    closeSync(this.#rootFd);
    closeSync(this.#stageFd);
    await run('umount', [this.root]);
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const disk: Disk = { ...realDisk };
    for (const name of Object.keys(disk)) this.#watch(disk, name);
    const logs = openLogs(this.#rootFd, FILESET, disk);
    const quiet = (): void => undefined;
    this.presto = new Presto(this.#rootFd, this.#stageFd, logs, quiet);
    for (const [part, names] of Object.entries(STEPS)) {
      for (const name of names) this.#watch(this.presto[part as keyof typeof STEPS], name);
    }
    this.#watch(this.presto.tree.identity, 'write');
    const files: unknown = Reflect.get(this.presto.merger, 'files');
    for (const name of MERGE_STEPS) this.#watch(files as object, name);
    recover(this.presto, await this.presto.merger.finish());
  }

  /** Makes the moments before and after each call of a method ones at which a crash can happen. */
  #watch(object: object, name: string): void {
    const methods = object as Record<string, Method>;
    const original = methods[name]?.bind(object);
    assert.ok(original !== undefined, name);
    methods[name] = (...args) => {
      this.moment();
      const result = original(...args);
      this.moment();
      return result;
    };
  }

  /** Here it may end. */
  moment(): void {
    this.#moments++;
    if (this.#moments === this.#crashAt) throw new Crash();
  }

  /**
   * Runs `act` up to its `moment`-th moment, then starts anew as after a crash.
   * @param look sees what that left behind
   * @returns false where it had no such moment
   */
  async crash(
    moment: number,
    act: (presto: Presto) => unknown,
    look?: () => Promise<void>,
  ): Promise<boolean> {
    const writeTo = IdentityStore.writeTo.bind(IdentityStore);
    this.#watch(IdentityStore, 'writeTo');
    this.#moments = 0;
    this.#crashAt = moment;
    let crashed = false;
    try {
      await act(this.presto);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      crashed = true;
    } finally {
      this.#crashAt = 0;
      IdentityStore.writeTo = writeTo;
    }
    this.#abandon();
    await look?.();
    await this.#start();
    return crashed;
  }

  /** What a process that ends lets go of: its descriptors. */
  #abandon(): void {
    for (const name of readdirSync('/proc/self/fd')) {
      const fd = Number(name);
      if (fd === this.#rootFd || fd === this.#stageFd) continue;
      if (targetOf(fd).startsWith(this.root)) closeSync(fd);
    }
  }

  check(): void {
    checkLower(this.root, FILESET);
  }
}

function targetOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The descriptor that listed them.
    return '';
  }
}

export const newEntry = (): Entry => ({ node: 0, generation: 0, attr: new Attr() });
