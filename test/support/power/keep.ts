import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../../src/core/system/processes.js';
import type { Snapshot } from './snapshots.js';

const IMAGE = 'image';
const NOTES = 'notes';
const SNAPSHOT = 'snapshot.json';

/** The directory of a run of tests goes with it; what is kept stays where scripts/test.js has its own. */
const KEEP = process.env['IZO_TEST_KEEP'] ?? tmpdir();

/** Keeps a snapshot that was found to be wrong, after its test. @returns the directory, for `replay` */
export async function keep(snapshot: Snapshot): Promise<string> {
  const directory = mkdtempSync(join(KEEP, 'izo-violation-'));
  await run('cp', ['--sparse=always', snapshot.image, join(directory, IMAGE)]);
  cpSync(snapshot.notes, join(directory, NOTES), { recursive: true });
  writeFileSync(join(directory, SNAPSHOT), JSON.stringify(snapshot, undefined, 2));
  return directory;
}

/** A snapshot that was kept. Its image is copied to `disk`, a reflink disk. */
export async function kept(directory: string, disk: string): Promise<Snapshot> {
  const snapshot = JSON.parse(readFileSync(join(directory, SNAPSHOT), 'utf8')) as Snapshot;
  const image = join(disk, IMAGE);
  await run('cp', ['--sparse=always', join(directory, IMAGE), image]);
  return { ...snapshot, image, notes: join(directory, NOTES) };
}

export const howToReplay = (directory: string): string => `npm run crash -- --replay ${directory}`;
