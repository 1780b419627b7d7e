/**
 * Help for the misspelt: the word that was meant, and lists of the words there are.
 */

const SHOWN_CHARACTERS = 60;

/** Text from a file or a command line as a message may show it: bounded, and harmless to a terminal. */
export function quoted(text: string): string {
  const shown =
    text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS).trimEnd()}...` : text;
  // JSON escapes control characters; those above ASCII that move the cursor or turn the text round are left.
  const escaped = JSON.stringify(shown).slice(1, -1).replaceAll('\\"', '"');
  return `\`${escaped.replace(/[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?')}\``;
}

/** `a`, `b` and `c`. */
export function listed(words: Iterable<string>): string {
  const all = [...words].map(quoted);
  const last = all.pop();
  if (last === undefined) return 'none';
  return all.length === 0 ? last : `${all.join(', ')} and ${last}`;
}

/** Number of single-letter insertions, removals, replacements and swaps of neighbours that lead from one to the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const cost = from[row - 1] === to[column - 1] ? 0 : 1;
      const removed = (last[column] ?? 0) + 1;
      const inserted = (current[column - 1] ?? 0) + 1;
      const replaced = (last[column - 1] ?? 0) + cost;
      let best = Math.min(removed, inserted, replaced);
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) {
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/**
 * The candidate that was most likely meant: nearest by edit distance, at most a third of its letters wrong (never more
 * than three), letter case and punctuation counting for nothing. Undefined where none is near.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  // Longer than any name we know: not a slip of the pen, and the distance would be slow to compute.
  if (word.length > 80) return undefined;
  const plain = (text: string): string => text.toLowerCase().replace(/[-_.]/g, '');
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(plain(word), plain(candidate));
    const allowed = Math.min(3, Math.max(1, Math.floor(candidate.length / 3)));
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A sentence to put before a remedy: "Did you mean `ipaddr`? ", or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const meant = closest(word, candidates);
  return meant === undefined ? '' : `Did you mean ${quoted(meant)}? `;
}
