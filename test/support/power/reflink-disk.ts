import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../../src/core/system/processes.js';

/** mkfs.xfs makes nothing smaller than 300 MB. The file is sparse. */
const XFS_BYTES = 4 * 2 ** 30;

/** An XFS where a copy of a file is made at once: of a cache's image, what its disk holds when the power goes. */
export class ReflinkDisk {
  private constructor(
    private readonly parent: string,
    readonly path: string,
  ) {}

  /** @returns undefined where the kernel knows no XFS */
  static async make(): Promise<ReflinkDisk | undefined> {
    const parent = mkdtempSync(join(tmpdir(), 'izo-power-'));
    const path = join(parent, 'disk');
    const image = join(parent, 'xfs');
    mkdirSync(path);
    writeFileSync(image, '');
    truncateSync(image, XFS_BYTES);
    try {
      await run('mkfs.xfs', ['-q', '-m', 'reflink=1', image]);
      await run('mount', ['-o', 'loop', image, path]);
    } catch (error) {
      rmSync(parent, { recursive: true, force: true });
      if (/unknown filesystem/.test(String(error))) return undefined;
      throw error;
    }
    return new ReflinkDisk(parent, path);
  }

  async remove(): Promise<void> {
    await run('umount', ['-l', this.path], { okCodes: [32] });
    rmSync(this.parent, { recursive: true, force: true });
  }
}

/** A copy of a file as it is at this moment. */
export async function clone(from: string, to: string): Promise<void> {
  await run('cp', ['--reflink=always', from, to]);
}
