/**
 * Writes unique tokens into files that the workers of all hosts share, moves the files about and takes some away, until it
 * is told to stop or the file system goes. Every token that was closed, and every one that it has seen in what it took
 * away, is noted; so that afterwards it is known which tokens have to be somewhere.
 *
 * Nothing is taken away unseen: a file is replaced by swapping it with another and reading what came out, and removed by
 * moving it to a place of one's own and reading it there.
 *
 *   node --import tsx ledger-worker.ts LEDGER OWN NOTES SEED PAUSE_MS
 */
import {
  chmodSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '../../src/core/system/errno.js';
import { renameat2 } from '../../src/core/system/files.js';
import { fsetxattr } from '../../src/core/system/xattrs.js';
import { Random } from '../sim/random.js';
import { outcome } from '../support/calls.js';
import { Mapping } from '../support/mapping.js';
import { tokensIn, type LedgerNote } from './ledger.js';

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
const AT_FDCWD = -100;
const NAMES = 10;
const DIRECTORIES = 4;
/** Somebody else was faster, the names do not go together, or the disk is full. */
const EXPECTED = [
  ...['ENOENT', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EINVAL', 'EPERM', 'EBUSY'],
  ...['ELOOP', 'ENOSPC', 'EMLINK'],
];
const GONE = ['ENOTCONN', 'ECONNABORTED', 'ENODEV'];

const [ledger = '', own = '', notes = '', seed = '1', pause = '0'] = process.argv.slice(2);
const random = new Random(Number(seed));
const log = openSync(notes, 'a');
let count = 0;

function note(line: LedgerNote): void {
  writeSync(log, `${JSON.stringify(line)}\n`);
}

const newToken = (): string => `<${seed}:${++count}>`;

/** A directory of the ledger, or the ledger itself. */
function directory(): string {
  const which = random.below(DIRECTORIES + 1);
  return which === DIRECTORIES ? ledger : join(ledger, `d${which}`);
}

const somePath = (): string => join(directory(), `l${random.below(NAMES)}`);

/** Some file that is there, perhaps; also one that a merge has put beside another. */
function existing(): string {
  const at = directory();
  const names = readdirSync(at).filter((name) => name.startsWith('l'));
  return names.length === 0 ? somePath() : join(at, random.pick(names)!);
}

function rename(from: string, to: string, flags: number): void {
  must('rename', renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}

function append(): void {
  const token = newToken();
  const path = random.below(3) === 0 ? somePath() : existing();
  const fd = openSync(path, 'a');
  let isThere: boolean;
  try {
    writeSync(fd, `${token}\n`);
    if (random.below(10) === 0) writeSync(fd, `${'x'.repeat(random.below(100_000))}\n`);
    // Somebody has taken the file away between our open and our write, as on any file system: then nobody has to have it.
    isThere = fstatSync(fd).nlink > 0;
  } finally {
    closeSync(fd);
  }
  if (isThere) note({ closed: token, path });
}

/** As an editor that makes a new file with what it has read and its own, and swaps. */
function replace(): void {
  const target = existing();
  const kept = readFileSync(target, 'latin1');
  const token = newToken();
  const mine = join(own, `new${count}`);
  const contents = `${tokensIn(kept).join('\n')}\n${token}\n`;
  writeFileSync(mine, contents, { flag: 'wx' });
  note({ closed: token, path: target });
  rename(mine, target, RENAME_EXCHANGE);
  takeAway(mine, new Set(tokensIn(contents)));
}

function remove(): void {
  const mine = join(own, `old${++count}`);
  rename(existing(), mine, RENAME_NOREPLACE);
  takeAway(mine, new Set());
}

/**
 * Removes a file of our own; what it has is seen, also what somebody who still has it open adds until it is gone. `kept`:
 * what is elsewhere.
 */
function takeAway(mine: string, kept: ReadonlySet<string>): void {
  // For writing: whoever only reads goes on reading what he has opened.
  const fd = openSync(mine, 'r+');
  const noteSeen = (): void => {
    const size = Math.max(fstatSync(fd).size, 1);
    const contents = Buffer.alloc(size);
    const text = contents.toString('latin1', 0, readSync(fd, contents, 0, size, 0));
    note({ seen: tokensIn(text).filter((token) => !kept.has(token)), path: mine });
  };
  try {
    noteSeen();
    unlinkSync(mine);
    noteSeen();
  } finally {
    closeSync(fd);
  }
}

function setAttributes(): void {
  const fd = openSync(existing(), 'r+');
  try {
    const text = Buffer.from(`${random.below(1000)}`);
    must('setxattr', fsetxattr(fd, `user.n${random.below(3)}`, text));
  } finally {
    closeSync(fd);
  }
}

/** What a program writes to memory, nobody is told of. */
function writeMapped(): void {
  const fd = openSync(join(own, `mapped${random.below(3)}`), 'a+');
  closeSync(fd);
  const file = openSync(join(own, `mapped${random.below(3)}`), 'r+');
  try {
    ftruncateSync(file, 8192);
    const map = new Mapping(file, 8192, true);
    map.write(random.below(8000), newToken());
    // Where that fails, the disk is full or the mount has gone, as the next act will be told.
    if (random.below(2) === 0) outcome(() => map.sync());
    map.unmap();
  } finally {
    closeSync(file);
  }
}

const ACTS: readonly [times: number, act: () => void][] = [
  [12, append],
  [4, replace],
  [2, remove],
  [4, () => rename(existing(), somePath(), RENAME_NOREPLACE)],
  [1, () => linkSync(existing(), somePath())],
  [2, () => chmodSync(existing(), 0o600 | random.below(0o200))],
  [2, setAttributes],
  [3, () => mkdirSync(join(ledger, `d${random.below(DIRECTORIES)}`))],
  [1, () => rmdirSync(join(ledger, `d${random.below(DIRECTORIES)}`))],
  [2, moveDirectory],
  [2, writeMapped],
];

function moveDirectory(): void {
  const name = (): string => `d${random.below(DIRECTORIES)}`;
  const [from, to] = [name(), name()];
  // One inside another, and out again.
  if (random.below(2) === 0) rename(join(ledger, from), join(ledger, to, from), RENAME_NOREPLACE);
  else rename(join(ledger, to, from), join(ledger, from), RENAME_NOREPLACE);
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

process.once('SIGTERM', () => {
  process.exit(0);
});
const wheel = ACTS.flatMap(([times, act]) => Array.from({ length: times }, () => act));
try {
  for (;;) {
    try {
      random.pick(wheel)!();
      note({ act: 1 });
    } catch (error) {
      if (!EXPECTED.includes(codeOf(error))) throw error;
    }
    await sleep(Number(pause) * 2 * random.next());
  }
} catch (error) {
  // Told to end while it waited: the signal is heard now.
  if (codeOf(error) === 'EINTR') await sleep(100);
  // The mount has gone: that is what the run is about.
  if (!GONE.includes(codeOf(error))) throw error;
}
process.exit(0);
