/**
 * Changes a directory at random until it is told to stop or the file system goes away, and notes every act before and
 * after it, so that afterwards it is known what has to be there.
 *
 *   node --import tsx busy-worker.ts DIRECTORY NOTES SEED
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Note } from './notes.js';

const [root = '', notesPath = '', seed = '1'] = process.argv.slice(2);
const DIRTY_MAX = 5;

let state = Number(seed) * 7919 + 1;
function random(below: number): number {
  state = (state * 48271) % 2147483647;
  return state % below;
}

const notes = openSync(notesPath, 'a');
/** What is there: contents by path, as their hash. */
const files = new Map<string, string>();
const dirty: number[] = [];
let directories = ['.'];
let count = 0;

const full = (path: string): string => join(root, path);
const anyFile = (): string | undefined => [...files.keys()][random(Math.max(1, files.size))];
const anyDirectory = (): string => directories[random(directories.length)] ?? '.';
const newName = (): string => join(anyDirectory(), `n${++count}`);

function note(line: Note): void {
  writeSync(notes, `${JSON.stringify(line)}\n`);
}

/** `after`: what will be at each path that the act touches; null for nothing. */
function perform(after: Record<string, string | null>, act: () => void): void {
  note({ doing: Object.keys(after) });
  act();
  note({ done: after });
  for (const [path, hash] of Object.entries(after)) {
    if (hash === null) files.delete(path);
    else files.set(path, hash);
  }
}

function write(path: string): void {
  const size = random(8) === 0 ? random(400_000) : random(6000);
  const contents = Buffer.alloc(size, `${seed} ${count} ${path} `);
  const hash = createHash('sha256').update(contents).digest('hex');
  perform({ [path]: hash }, () => {
    const fd = openSync(full(path), 'w');
    for (let at = 0; at < size; at += 50_000) {
      writeSync(fd, contents, at, Math.min(50_000, size - at), at);
    }
    closeSync(fd);
  });
}

/** Leaves a file open and written. What a crash leaves of it is not known. */
function leaveDirty(): void {
  const path = `${newName()}.dirty`;
  const fd = openSync(full(path), 'w');
  writeSync(fd, 'not closed yet');
  dirty.push(fd);
  if (dirty.length > DIRTY_MAX) closeSync(dirty.shift() ?? -1);
}

function renameDirectory(): void {
  if (directories.length < 2) return;
  const from = directories[1 + random(directories.length - 1)] ?? '';
  const to = `d${++count}`;
  const inside = [...files].filter(([path]) => path.startsWith(`${from}/`));
  const after: Record<string, string | null> = {};
  for (const [path, hash] of inside) {
    after[path] = null;
    after[to + path.slice(from.length)] = hash;
  }
  perform(after, () => {
    renameSync(full(from), full(to));
  });
  directories = directories.map((path) => (path === from ? to : path));
}

const acts: ((path: string, hash: string) => void)[] = [
  () => {
    write(newName());
  },
  (path) => {
    write(path);
  },
  (path, hash) => {
    const to = newName();
    perform({ [path]: null, [to]: hash }, () => {
      renameSync(full(path), full(to));
    });
  },
  (path, hash) => {
    const over = anyFile() ?? path;
    if (over === path || files.get(over) === hash) return;
    perform({ [path]: null, [over]: hash }, () => {
      renameSync(full(path), full(over));
    });
  },
  (path) => {
    perform({ [path]: null }, () => {
      unlinkSync(full(path));
    });
  },
  (path, hash) => {
    perform({ [path]: hash }, () => {
      chmodSync(full(path), random(0o1000) | 0o600);
      utimesSync(full(path), random(2 ** 30), random(2 ** 30));
    });
  },
  () => {
    if (directories.length > 8) return;
    const path = `d${++count}`;
    perform({}, () => {
      mkdirSync(full(path));
    });
    directories.push(path);
  },
  () => {
    perform({}, () => {
      symlinkSync('some/where', full(newName()));
    });
  },
  (path, hash) => {
    // A second name for a moment: writing to one of two would change both.
    const to = newName();
    perform({ [path]: null, [to]: hash }, () => {
      linkSync(full(path), full(to));
      unlinkSync(full(path));
    });
  },
  leaveDirty,
  renameDirectory,
];

process.once('SIGTERM', () => {
  process.exit(0);
});
note({ done: {} });
try {
  for (;;) {
    const path = anyFile();
    const hash = path === undefined ? undefined : files.get(path);
    if (path === undefined || hash === undefined || files.size < 5) write(newName());
    else acts[random(acts.length)]?.(path, hash);
    if (random(50) === 0 && path !== undefined && files.has(path)) readFileSync(full(path));
    // Lets a signal be heard.
    if (random(20) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // The mount has gone: that is what the test is about.
  if (!['ENOTCONN', 'ECONNABORTED', 'ENODEV'].includes(code)) throw error;
}
process.exit(0);
