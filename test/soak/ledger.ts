import { readFileSync } from 'node:fs';

/** A line of a ledger worker's notes. */
export type LedgerNote =
  /** A file with this token was closed, and nothing was refused. */
  | { readonly closed: string; readonly path: string }
  /** It took away a file that had these tokens, knowing them. */
  | { readonly seen: readonly string[]; readonly path: string }
  | { readonly act: number };

const TOKEN = /<\d+:\d+>/g;

export function tokensIn(text: string): string[] {
  return [...new Set(text.match(TOKEN))];
}

/** What the notes of all workers say together. */
export interface Ledger {
  /** Tokens that have to be somewhere. */
  readonly expected: ReadonlySet<string>;
  readonly closed: number;
  readonly acts: number;
}

export function readLedger(files: readonly string[]): Ledger {
  const expected = new Set<string>();
  const seen = new Set<string>();
  let acts = 0;
  for (const line of files.flatMap(readNotes)) {
    if ('closed' in line) expected.add(line.closed);
    else if ('seen' in line) for (const token of line.seen) seen.add(token);
    else acts += line.act;
  }
  const closed = expected.size;
  for (const token of seen) expected.delete(token);
  return { expected, closed, acts };
}

/** The last line of a worker that was killed may be no whole one. */
function readNotes(file: string): LedgerNote[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LedgerNote);
}
