/**
 * Changes a directory at random until it is told to stop or the file system goes away, and notes every act before and
 * after it, so that afterwards it is known what has to be there. Besides, it quarrels with others in a directory of all.
 *
 *   node --import tsx busy-worker.ts DIRECTORY COMMON NOTES SEED [PAUSE_MS]
 *
 * PAUSE_MS: how long it rests after each act.
 */
import { ACTS, leaveDirty, SYNCS } from './busy-acts.js';
import { quarrel } from './busy-common.js';
import { Territory } from './busy-territory.js';

const [root = '', common = '', notes = '', seed = '1', rest = '0'] = process.argv.slice(2);
const FILES_MIN = 5;
const FILES_MAX = 150;

process.once('SIGTERM', () => {
  process.exit(0);
});
const territory = new Territory(root, notes, Number(seed));
try {
  for (;;) {
    const { length } = territory.files;
    if (length < FILES_MIN) ACTS.create(territory);
    else if (length > FILES_MAX) ACTS.unlink(territory);
    else if (territory.random(25) === 0) territory.pick(SYNCS)(territory);
    else territory.pick(Object.values(ACTS))(territory);
    if (territory.random(8) === 0) quarrel(common, territory);
    if (territory.random(20) === 0) leaveDirty(territory);
    // Lets a signal be heard; and nobody gets anything done where the disk stays full.
    const pause = territory.wasFull ? Math.max(5, Number(rest)) : Number(rest);
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    else if (territory.random(20) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // Told to end while it waited: the signal is heard now.
  if (code === 'EINTR') await new Promise((resolve) => setTimeout(resolve, 100));
  // The mount has gone: that is what the test is about.
  if (!['ENOTCONN', 'ECONNABORTED', 'ENODEV'].includes(code)) throw error;
}
process.exit(0);
