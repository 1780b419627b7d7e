import assert from 'node:assert/strict';
import { appendFileSync, closeSync, openSync, readdirSync, statfsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { outcome } from './calls.js';

const FILLER = 'filler';
/** No cache of the tests is larger. Where a failed test has left nothing mounted, the machine's own disk would be filled. */
const LARGEST = 2 ** 30;
const BLOCK = Buffer.alloc(256 * 1024, 'f');

/** Fills a file system until nobody gets a single block any more. @returns how each attempt ended: ENOSPC is as it should be */
export function fillUp(root: string): string[] {
  const { blocks, bsize } = statfsSync(root);
  assert.ok(blocks * bsize <= LARGEST, `${root} is not mounted: it is on a disk of the machine`);
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
