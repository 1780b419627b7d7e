import { appendFileSync, closeSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { outcome } from './calls.js';

const FILLER = 'filler';
const BLOCK = Buffer.alloc(256 * 1024, 'f');

/** Fills a file system until nobody gets a single block any more. @returns how each attempt ended: ENOSPC is as it should be */
export function fillUp(root: string): string[] {
  const path = join(root, FILLER);
  const ends: string[] = [];
  for (const size of [BLOCK.length, 4096, 512]) {
    let end: string;
    do {
      end = outcome(() => {
        appendFileSync(path, BLOCK.subarray(0, size));
      });
    } while (end === 'ok');
    ends.push(end);
  }
  // The last block of the log as well.
  let end: string;
  do {
    end = outcome(() => {
      closeSync(openSync(`${path}-${ends.length}`, 'wx'));
    });
    ends.push(end);
  } while (end === 'ok');
  return ends.filter((each) => each !== 'ok');
}

/** The names of what has filled it up. */
export function fillers(root: string): string[] {
  return readdirSync(root).filter((name) => name.startsWith(FILLER));
}

export function makeRoom(root: string): void {
  for (const name of fillers(root)) unlinkSync(join(root, name));
}
