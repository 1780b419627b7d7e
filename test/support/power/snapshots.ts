import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Busy } from '../busy.js';
import { fillUp, makeRoom } from '../filler.js';
import { MountedHost, type CacheType } from '../mounted-host.js';
import type { Moment } from '../notes.js';
import { clone } from './reflink-disk.js';
import { mountUnordered } from './unordered.js';

const WORKERS = 3;
/** Between two snapshots: the file system commits every 5 s, and at every fsync of the workers. */
const PAUSE_MS = 150;

export interface Run {
  readonly type: CacheType;
  /** Of what the workers do. When which of them does it is the machine's business. */
  readonly seed: number;
  readonly snapshots: number;
  /** With the flag +j on the logs, without which izo refuses to mount. */
  readonly ordered: boolean;
  /** A small disk, which is full for the middle third of the snapshots. */
  readonly full?: boolean;
}

/** What a disk held at one moment of a run. */
export interface Snapshot {
  readonly name: string;
  readonly image: string;
  readonly type: CacheType;
  /** There may be no room to journal what was being written: first some has to be made. */
  readonly full: boolean;
  /** The directory of the workers' notes, and by the notes' names how long they were then. */
  readonly notes: string;
  readonly moments: Readonly<Record<string, Moment>>;
}

/** Lets programs work on a new fileset, and takes the power away again and again; in effigy. @param at a reflink disk */
export async function takeSnapshots(at: string, wanted: Run): Promise<Snapshot[]> {
  const { type, seed, ordered, full = false } = wanted;
  const name = `${type}-${ordered ? '' : 'unordered-'}${full ? 'full-' : ''}${seed}`;
  const directory = join(at, name);
  const notes = join(directory, 'notes');
  mkdirSync(notes, { recursive: true });
  const mounted = await MountedHost.make(full ? '16M' : '64M', at, type);
  try {
    const unmount = ordered ? await mountOrdered(mounted) : await mountUnordered(mounted);
    const busy = await Busy.start(mounted.mountPoint, notes, seed, WORKERS);
    const snapshots: Snapshot[] = [];
    const fillAt = Math.ceil(wanted.snapshots / 3);
    for (let number = 1; number <= wanted.snapshots; number++) {
      if (full && number === fillAt) fillUp(mounted.mountPoint);
      if (full && number === 2 * fillAt) makeRoom(mounted.mountPoint);
      await sleep(Math.random() * 2 * PAUSE_MS);
      const image = join(directory, `${number}.img`);
      const from = busy.lengths();
      await clone(mounted.image, image);
      const to = busy.lengths();
      const moments = Object.fromEntries(
        Object.entries(from).map(([key, length]) => [key, { from: length, to: to[key] ?? 0 }]),
      );
      snapshots.push({ name: `${name}, snapshot ${number}`, image, type, full, notes, moments });
    }
    await busy.end('SIGTERM');
    const differences = busy.differences();
    if (differences.length > 0) throw new Error(`before any crash: ${differences.join('\n')}`);
    await unmount();
    return snapshots;
  } finally {
    await mounted.remove();
  }
}

async function mountOrdered(mounted: MountedHost): Promise<() => Promise<void>> {
  await mounted.mount();
  return async () => {
    await mounted.unmountAndCheck();
  };
}
