import { linkSync, mkdirSync, renameSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Territory } from './busy-territory.js';

const NAMES = 12;
/** Somebody else was faster, the names do not go together, or the disk is full. */
const EXPECTED = [
  ...['ENOENT', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EINVAL', 'EPERM', 'EBUSY'],
  ...['ELOOP', 'ENOSPC', 'EMLINK'],
];

/** One act in a directory where all workers act on the same few names. Nobody knows what comes of it. */
export function quarrel(directory: string, territory: Territory): void {
  const name = (): string => `${territory.random(NAMES)}`;
  const path = (): string =>
    join(directory, name(), ...(territory.random(3) === 0 ? [name()] : []));
  const acts = [
    () => {
      mkdirSync(path());
    },
    () => {
      writeFileSync(path(), `${territory.random(1000)}`.repeat(territory.random(1000)));
    },
    () => {
      renameSync(path(), path());
    },
    () => {
      linkSync(path(), path());
    },
    () => {
      unlinkSync(path());
    },
    () => {
      rmdirSync(path());
    },
  ];
  try {
    territory.pick(acts)();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !EXPECTED.includes(code)) throw error;
  }
}
