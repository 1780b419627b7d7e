import { dirname } from 'node:path';
import type { Checked } from '../check-cache.js';
import { MountedHost } from '../mounted-host.js';
import { clone } from './reflink-disk.js';
import type { Snapshot } from './snapshots.js';

/** Mounts a copy of a snapshot with izo's own commands, and checks it after that. */
export async function mountSnapshot({ image, type }: Snapshot): Promise<Checked> {
  const copy = `${image}.mounted`;
  await clone(image, copy);
  const mounted = MountedHost.of(copy, dirname(image), type);
  try {
    await mounted.mount();
    return await mounted.unmountAndCheck();
  } finally {
    await mounted.remove();
  }
}
