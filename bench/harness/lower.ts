import { acquireLower, type LowerMount } from '../../src/core/cache/index.js';
import type { Host } from '../../src/core/demo/host.js';

/** The fileset of caches that are measured alone. */
export const FILESET = 'bench';

/** Has the cache of a host mounted as presto has it, without one. */
export async function withLower<T>(
  { image: device, runDir }: Host,
  act: (lower: LowerMount) => T | Promise<T>,
): Promise<T> {
  const request = { device, fileset: FILESET, runDir, psdev: 'intermezzo0', readOnly: false };
  const lower = await acquireLower({ ...request, cacheType: 'ext3' });
  try {
    return await act(lower);
  } finally {
    await lower.release();
  }
}
