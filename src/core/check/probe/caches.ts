import { realpathSync } from 'node:fs';
import { loopDevicesOf } from '../../cache/index.js';
import { contentsOf, hasJournal, namesInMeta } from '../../cache/contents.js';
import { listMounted } from '../../presto/mounting/mounted-state.js';
import { findMountOf } from '../../system/mounts.js';
import type { CacheFacts } from '../facts.js';
import { probePath, roomAt } from './paths.js';

const UNSEEN = { contents: undefined, hasJournal: false, filesets: [] as string[] };

/** Looks at a cache without changing anything, also while it is mounted. Never throws. */
export async function probeCache(spec: string, runDir: string): Promise<CacheFacts> {
  const path = probePath(spec);
  const isServed = listMounted(runDir).some(({ device }) => isSame(device, spec));
  const base = { ...path, isServed, plainMount: undefined, room: Infinity, trouble: undefined };
  if (path.kind !== 'file' && path.kind !== 'block') return { ...base, ...UNSEEN };
  const room = path.kind === 'file' ? roomAt(spec) : Infinity;
  try {
    const plainMount = isServed ? undefined : await plainMountOf(spec, path.kind);
    return { ...base, room, plainMount, ...(await look(spec)) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // What a missing program means is told elsewhere, once.
    const trouble = error.message;
    return { ...base, room, ...UNSEEN, trouble };
  }
}

/** Two spellings of one path. */
function isSame(device: string, spec: string): boolean {
  if (device === spec) return true;
  try {
    return realpathSync(device) === realpathSync(spec);
  } catch {
    return false;
  }
}

async function look(
  spec: string,
): Promise<Pick<CacheFacts, 'contents' | 'hasJournal' | 'filesets'>> {
  const contents = await contentsOf(spec);
  if (contents?.type !== 'ext3' && contents?.type !== 'ext4') return { ...UNSEEN, contents };
  const [journal, filesets] = await Promise.all([hasJournal(spec), namesInMeta(spec)]);
  return { contents, hasJournal: journal, filesets };
}

/** The mount that presto itself makes is one that only its process sees, or a dead one's that it will clean. */
async function plainMountOf(spec: string, kind: 'file' | 'block'): Promise<string | undefined> {
  const devices = kind === 'block' ? [spec] : await loopDevicesOf(spec);
  for (const device of devices) {
    const found = findMountOf(device);
    if (found !== undefined) return found.mountPoint;
  }
  return undefined;
}
