import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  acquireLower,
  createImage,
  formatCache,
  loopDevicesOf,
  type FormatRequest,
  type LowerMount,
  type LowerRequest,
} from '../../src/core/cache/index.js';
import { IzoError } from '../../src/core/model/errors.js';
import { listMounts } from '../../src/core/system/mounts.js';
import { run } from '../../src/core/system/processes.js';

export const TYPES = ['ext3', 'ext4'] as const;
export const MIB = 2 ** 20;

/** EXT4_JOURNAL_DATA_FL: chattr +j. */
export const JOURNAL_DATA = 0x4000;

const SETTLE_MS = 3000;

/** A temporary directory with images of caches in it. What is still mounted or attached at the end is cleaned away. */
export class CacheScratch {
  readonly path = mkdtempSync(join(tmpdir(), 'izo-cache-'));
  readonly runDir = join(this.path, 'run');
  readonly #images: string[] = [];
  readonly #taken: LowerMount[] = [];

  /** An image of zeroes, as `dd if=/dev/zero` makes it. */
  image(name = 'fs0', size = 10 * MIB): string {
    const path = join(this.path, name);
    createImage(path, size);
    return this.watch(path);
  }

  /** An image that somebody else makes: it is detached at the end as well. */
  watch(path: string): string {
    this.#images.push(path);
    return path;
  }

  format(target: string, options: Partial<FormatRequest> = {}): Promise<void> {
    return formatCache({
      target,
      fileset: 'shared',
      type: 'ext3',
      size: undefined,
      force: false,
      convert: false,
      ...options,
    });
  }

  /** A formatted cache. */
  async cache(type: 'ext3' | 'ext4' = 'ext3', fileset?: string, name = 'fs0'): Promise<string> {
    const image = this.image(name, 16 * MIB);
    await this.format(image, { type, fileset });
    return image;
  }

  requestFor(device: string, options: Partial<LowerRequest> = {}): LowerRequest {
    return {
      device,
      fileset: 'shared',
      runDir: this.runDir,
      psdev: 'intermezzo0',
      cacheType: undefined,
      ...options,
    };
  }

  /** A cache as presto takes it. */
  async take(device: string, options: Partial<LowerRequest> = {}): Promise<LowerMount> {
    const lower = await acquireLower(this.requestFor(device, options));
    this.#taken.push(lower);
    return lower;
  }

  /** What is mounted below the directory, and the loop devices of its images: there should be none. */
  async leftovers(): Promise<string[]> {
    const mounts = listMounts().map((mount) => mount.mountPoint);
    const loops = await Promise.all(this.#images.map((image) => loopDevicesOf(image)));
    return [...mounts.filter((at) => at.startsWith(`${this.path}/`)), ...loops.flat()];
  }

  /**
   * Fails where something stays. A detached loop device may live a moment longer: it goes when the last one closes it,
   * and udev, or whoever lists devices, may be looking at it.
   */
  async assertReleased(): Promise<void> {
    const deadline = Date.now() + SETTLE_MS;
    let left = await this.leftovers();
    while (left.length > 0 && Date.now() < deadline) {
      await sleep(50);
      left = await this.leftovers();
    }
    assert.deepEqual(left, [], 'mounts and loop devices were left behind');
  }

  /** A test that passed has released everything itself. */
  async done(): Promise<void> {
    for (const lower of this.#taken) await lower.release().catch(() => undefined);
    for (const { mountPoint } of listMounts().reverse()) {
      if (mountPoint.startsWith(`${this.path}/`)) await run('umount', ['-l', mountPoint]);
    }
    for (const image of this.#images) {
      for (const loop of await loopDevicesOf(image)) {
        await run('losetup', ['-d', loop], { okCodes: [1] });
      }
    }
    rmSync(this.path, { recursive: true, force: true });
  }

  /** For afterEach: cleans up, and fails where there was something to clean. */
  async check(): Promise<void> {
    try {
      await this.assertReleased();
    } finally {
      await this.done();
    }
  }
}

export function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** For assert.rejects: an IzoError of that code, about what `pattern` says. */
export function failsWith(code: string, options: { exit?: number; pattern?: RegExp } = {}) {
  return (error: unknown): boolean => {
    if (!(error instanceof IzoError) || error.code !== code) return false;
    if (options.exit !== undefined && error.exit !== options.exit) return false;
    const text = `${error.place?.file ?? ''}: ${error.message}; ${error.remedy ?? ''}`;
    return options.pattern?.test(text) ?? true;
  };
}

/** The flags of an inode on an unmounted image. */
export async function flagsOf(image: string, path: string): Promise<number> {
  const { stdout } = await run('debugfs', ['-R', `stat ${path}`, image]);
  return Number.parseInt(/Flags:\s+0x([0-9a-f]+)/i.exec(stdout)?.[1] ?? 'NaN', 16);
}

/** Names in a directory on an unmounted image, without `.` and `..`. */
export async function namesIn(image: string, path: string): Promise<string[]> {
  const { stdout } = await run('debugfs', ['-R', `ls -p ${path}`, image]);
  const names = stdout.split('\n').map((line) => line.split('/')[5] ?? '');
  return names.filter((name) => !['', '.', '..'].includes(name)).sort();
}
