/**
 * The tests of crashes for as long as one likes.
 *
 *   npm run crash -- [--snapshots N] [--seed S] [--control N] [--kills N]
 *   npm run crash -- --replay DIRECTORY     checks a snapshot that was kept
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killWhileBusy } from '../support/kill-presto.js';
import { MountedHost } from '../support/mounted-host.js';
import { checkSnapshot, newVerdict, type Verdict } from '../support/power/check-snapshot.js';
import { howToReplay, keep, kept } from '../support/power/keep.js';
import { mountSnapshot } from '../support/power/mount-snapshot.js';
import { ReflinkDisk } from '../support/power/reflink-disk.js';
import { takeSnapshots, type Run } from '../support/power/snapshots.js';

/** Of one fileset; then the next one begins, and the file systems take turns. */
const SNAPSHOTS_EACH = 30;
/** Every so many are also mounted by `izo mount`, which takes longer. */
const MOUNT_EVERY = 10;

/** One in so many has a disk that fills up. */
const FULL_EVERY = 3;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function count(text: string, name: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`crash: --${name} is a number, not "${text}"\n`);
  process.exit(2);
}

interface Total extends Verdict {
  snapshots: number;
  violated: number;
}

async function losses(at: string, all: number, seed: number, ordered: boolean): Promise<Total> {
  const total: Total = { ...newVerdict(), snapshots: 0, violated: 0 };
  for (let done = 0, run = 0; done < all; run++) {
    const snapshots = Math.min(SNAPSHOTS_EACH, all - done);
    const type = run % 2 === 0 ? 'ext3' : 'ext4';
    const full = ordered && run % FULL_EVERY === FULL_EVERY - 1;
    await oneRun(at, { type, seed: seed + run, snapshots, ordered, full }, total);
    done += snapshots;
    say(
      `${type}${full ? ', full' : ''}, seed ${seed + run}: ${done} of ${all}, violated ${total.violated}`,
    );
  }
  return total;
}

async function oneRun(at: string, wanted: Run, total: Total): Promise<void> {
  const taken = await takeSnapshots(at, wanted);
  for (const [index, snapshot] of taken.entries()) {
    const verdict = await checkSnapshot(snapshot);
    if (wanted.ordered && index % MOUNT_EVERY === 0) {
      await mountSnapshot(snapshot).catch((error: unknown) => {
        verdict.violations.push(`${snapshot.name}: izo mount: ${String(error)}`);
      });
    }
    total.snapshots++;
    for (const key of ['records', 'objects', 'synced', 'torn', 'leftovers'] as const) {
      total[key] += verdict[key];
    }
    if (verdict.violations.length === 0) continue;
    total.violated++;
    if (!wanted.ordered) continue;
    for (const violation of verdict.violations) say(violation);
    say(`kept: ${howToReplay(await keep(snapshot))}`);
  }
  for (const { image } of taken) rmSync(image);
}

/** Kills presto again and again; the first time that something is wrong ends it. @returns the files being written then */
async function kills(rounds: number, seed: number): Promise<number> {
  const mounted = await MountedHost.make('256M');
  try {
    const notes = join(mounted.root, 'notes');
    mkdirSync(notes);
    await mounted.mount();
    let written = 0;
    for (let round = 0; round < rounds; round++) {
      written += await killWhileBusy(mounted, notes, seed + round);
    }
    await mounted.unmountAndCheck();
    return written;
  } finally {
    await mounted.remove();
  }
}

async function replay(directory: string, disk: ReflinkDisk): Promise<boolean> {
  const { violations } = await checkSnapshot(await kept(directory, disk.path));
  for (const violation of violations) say(violation);
  say(`${violations.length} violations`);
  return violations.length === 0;
}

async function run(disk: ReflinkDisk): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      snapshots: { type: 'string', default: '300' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      control: { type: 'string', default: '20' },
      kills: { type: 'string', default: '20' },
      replay: { type: 'string' },
    },
  });
  if (values.replay !== undefined) return replay(values.replay, disk);
  const seed = count(values.seed, 'seed');
  const all = await losses(disk.path, count(values.snapshots, 'snapshots'), seed, true);
  const control = await losses(disk.path, count(values.control, 'control'), seed, false);
  const rounds = count(values.kills, 'kills');
  const written = await kills(rounds, seed);
  say(`presto killed ${rounds} times while ${written} files were being written: nothing lost`);
  say(
    `seed ${seed}: ${all.snapshots} snapshots, ${all.records} journal records, ${all.objects} objects compared, ` +
      `${all.synced} fsynced files checked, ${all.leftovers} files being written, ${all.torn} torn appends: ` +
      `${all.violated} violations; without +j: ${control.snapshots} snapshots, ${control.violated} violations`,
  );
  return all.violated === 0 && (control.snapshots === 0 || control.violated > 0);
}

const disk = await ReflinkDisk.make();
if (disk === undefined) throw new Error('this kernel has no XFS, which the snapshots need');
try {
  process.exitCode = (await run(disk)) ? 0 : 1;
} finally {
  await disk.remove();
}
