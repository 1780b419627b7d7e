import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A line that a busy worker writes. `done`: the hash of the contents at each path; null where nothing is. */
export type Note = { readonly doing: string[] } | { readonly done: Record<string, string | null> };

/**
 * Compares a directory with what its worker noted. What the worker was about to change when it ended may be either way.
 * @returns what differs
 */
export function compareWithNotes(directory: string, notes: string): string[] {
  const expected = new Map<string, string | null>();
  let open = new Set<string>();
  for (const line of readFileSync(notes, 'utf8').split('\n').slice(0, -1)) {
    const note = JSON.parse(line) as Note;
    if ('doing' in note) open = new Set(note.doing);
    else {
      for (const [path, hash] of Object.entries(note.done)) expected.set(path, hash);
      open = new Set();
    }
  }
  const differences: string[] = [];
  for (const [path, hash] of expected) {
    if (open.has(path)) continue;
    const found = hashOf(join(directory, path));
    if (found !== hash)
      differences.push(`${path}: ${found ?? 'nothing'}, noted ${hash ?? 'nothing'}`);
  }
  return differences;
}

function hashOf(path: string): string | null {
  if (!existsSync(path)) return null;
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
