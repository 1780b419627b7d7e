import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Memory } from '../../src/core/system/native.js';
import { getxattrAt } from '../../src/core/system/xattrs.js';

/** What is at a path. `kind` changes with metadata only; `contents`, the hash of a file's bytes, is '' for all others. */
export interface State {
  readonly kind: string;
  readonly contents: string;
}

/**
 * A line that a busy worker writes: what it is about to do and what has come of it, together an act; and what it has
 * synced.
 */
export type Note =
  /** What will be at each path that the act touches. `overwrites`: hash of contents that are about to change in place. */
  | { readonly doing: After; readonly overwrites?: string }
  /** It is done, and as it was meant to be where nothing else is said. */
  | { readonly done: After | true }
  /** The first `acts` acts are on disk, and so are the contents with that hash. */
  | { readonly synced: string; readonly acts: number }
  /** The act found no space. What it had done until then follows as `done`. */
  | { readonly full: true };

/** By path; null for nothing. */
export type After = Readonly<Record<string, State | null>>;

/** How long notes were, in bytes, before and after the moment that is looked at. */
export interface Moment {
  readonly from: number;
  readonly to: number;
}

interface Act {
  readonly after: After;
  readonly overwrites: string | undefined;
}

/** What a worker says may be found at a moment. */
interface History {
  readonly acts: readonly Act[];
  /** At least that many acts are there. */
  readonly least: number;
  /** The acts that had begun. */
  readonly most: number;
  /** Hashes of contents that are there; undefined: of all. */
  readonly synced: ReadonlySet<string> | undefined;
}

export interface Comparison {
  /** Names that were there to compare, and those whose contents had to be. */
  readonly names: number;
  readonly synced: number;
  readonly differences: readonly string[];
}

/** What acts on attributes change. */
export const NOTE_XATTR = 'user.note';
const DIRECTORY = 'directory';
const DIFFERENCES_MAX = 5;
const memory = new Memory(4096);

export const hashOf = (contents: Buffer): string =>
  createHash('sha256').update(contents).digest('hex').slice(0, 24);

const fileKind = (note: string): string => `file ${note}`;

export const fileState = (contents: Buffer, note: string): State => ({
  kind: fileKind(note),
  contents: hashOf(contents),
});
export const linkState = (target: string): State => ({ kind: `link ${target}`, contents: '' });
export const DIRECTORY_STATE: State = { kind: DIRECTORY, contents: '' };

/** Left out of notes: nobody knows what a crash leaves of a file that is open and was not synced. */
export const isUnnoted = (name: string): boolean => name.endsWith('.dirty');

/**
 * Compares a directory with what its worker noted. After a crash of the host (`moment`) the names must be those after some
 * number of the worker's acts, not fewer than were synced, and contents that were synced must be there. Without such a
 * crash everything that was done is there, and perhaps the act that had begun.
 */
export function compareWithNotes(directory: string, notes: string, moment?: Moment): Comparison {
  const history = readNotes(readFileSync(notes), moment);
  const found = walk(directory);
  const { acts, mismatched } = closest(history, found);
  if (mismatched.length > 0) {
    const where = mismatched.slice(0, DIFFERENCES_MAX).join('; ');
    const range = `${history.least} to ${history.most}`;
    const differences = [
      `${directory}: the names are those of no number of acts, ${range}: ${where}`,
    ];
    return { names: found.size, synced: 0, differences };
  }
  return { names: found.size, ...compareContents(directory, history, acts) };
}

function readNotes(bytes: Buffer, moment: Moment | undefined): History {
  const { from, to } = moment ?? { from: bytes.length, to: bytes.length };
  const acts: Act[] = [];
  const hashes = new Set<string>();
  let doing: Act | undefined;
  let least = 0;
  let most = 0;
  let offset = 0;
  for (const line of bytes.toString('utf8').split('\n').slice(0, -1)) {
    const before = offset;
    offset += line.length + 1;
    const note = JSON.parse(line) as Note;
    if ('doing' in note) {
      if (before >= to) break;
      doing = { after: note.doing, overwrites: note.overwrites };
      most = acts.length + 1;
    } else if ('done' in note) {
      const after = note.done === true ? (doing?.after ?? {}) : note.done;
      acts.push({ after, overwrites: doing?.overwrites });
      doing = undefined;
      if (moment === undefined) least = acts.length;
    } else if ('synced' in note && offset <= from) {
      least = Math.max(least, note.acts);
      hashes.add(note.synced);
    }
  }
  if (doing !== undefined) acts.push({ ...doing, after: withoutContents(doing.after) });
  return { acts, least, most: Math.min(most, acts.length), synced: moment && hashes };
}

/** Of an act that has come to no end, nobody knows how far the contents are. */
function withoutContents(after: After): After {
  const states = Object.entries(after).map(([path, state]) => [
    path,
    state && { ...state, contents: '' },
  ]);
  return Object.fromEntries(states) as After;
}

/** The kind of everything below a directory, by its path there. */
function walk(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    for (const name of readdirSync(join(directory, path))) {
      const child = join(path, name);
      const kind = isUnnoted(name) ? undefined : kindOf(join(directory, child));
      if (kind !== undefined) found.set(child, kind);
      if (kind === DIRECTORY) visit(child);
    }
  };
  if (existsSync(directory)) visit('');
  return found;
}

function kindOf(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.isDirectory()) return DIRECTORY;
  if (found.isSymbolicLink()) return linkState(readlinkSync(path)).kind;
  const directory = openSync(dirname(path), 'r');
  const length = getxattrAt(directory, basename(path), NOTE_XATTR, memory.address, memory.length);
  closeSync(directory);
  return fileKind(memory.buffer.toString('latin1', 0, Math.max(0, length)));
}

/** What is at a path, read from there. */
export function observe(path: string): State | null {
  const kind = kindOf(path);
  if (kind === undefined) return null;
  const isFile = lstatSync(path).isFile();
  return { kind, contents: isFile ? hashOf(readFileSync(path)) : '' };
}

/** @returns how many acts lead to what was found, or to what is most like it, and the paths that differ then */
function closest(
  { acts, least, most }: History,
  found: ReadonlyMap<string, string>,
): { acts: number; mismatched: string[] } {
  /** Paths that are not yet as found. */
  const wrong = new Set(found.keys());
  let best = { acts: 0, mismatched: [...wrong, 'too few acts'] };
  for (let count = 0; count <= most; count++) {
    const after: After = acts[count - 1]?.after ?? {};
    for (const [path, state] of Object.entries(after)) {
      if (found.get(path) === state?.kind) wrong.delete(path);
      else wrong.add(path);
    }
    if (count >= least && wrong.size < best.mismatched.length) {
      best = { acts: count, mismatched: [...wrong] };
    }
  }
  return best;
}

function compareContents(
  directory: string,
  { acts, most, synced }: History,
  count: number,
): { synced: number; differences: string[] } {
  const expected = new Map<string, string>();
  for (const { after } of acts.slice(0, count)) {
    for (const [path, state] of Object.entries(after)) expected.set(path, state?.contents ?? '');
  }
  // The data of what follows may be there before its names are.
  const changing = new Set(acts.slice(count, most).map(({ overwrites }) => overwrites));
  const differences: string[] = [];
  let compared = 0;
  for (const [path, contents] of expected) {
    if (contents === '' || changing.has(contents)) continue;
    if (synced !== undefined && !synced.has(contents)) continue;
    compared++;
    const bytes = readFileSync(join(directory, path));
    if (hashOf(bytes) === contents) continue;
    differences.push(
      `${join(directory, path)}: contents (${bytes.length} bytes) are not what was noted`,
    );
  }
  return { synced: compared, differences: differences.slice(0, DIFFERENCES_MAX) };
}
