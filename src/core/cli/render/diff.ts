/** Lines around a change that show where it is. */
const CONTEXT = 2;

/** Above this a table of all pairs of lines would be large; configuration files are not. */
const LINES_MAX = 2000;

interface Line {
  mark: ' ' | '-' | '+';
  text: string;
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Length of the longest common subsequence of what is left of both from each pair of lines on. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint16Array[] {
  const table = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const row = table[i] ?? new Uint16Array();
    const below = table[i + 1] ?? new Uint16Array();
    for (let j = after.length - 1; j >= 0; j -= 1) {
      row[j] =
        before[i] === after[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return table;
}

function compare(before: readonly string[], after: readonly string[]): Line[] {
  const table = commonLengths(before, after);
  const at = (i: number, j: number): number => table[i]?.[j] ?? 0;
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ mark: ' ', text: before[i] ?? '' });
      i += 1;
      j += 1;
    } else if (i < before.length && (j === after.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: '-', text: before[i] ?? '' });
      i += 1;
    } else {
      lines.push({ mark: '+', text: after[j] ?? '' });
      j += 1;
    }
  }
  return lines;
}

/** What differs between two texts, as lines that begin with `-`, `+` or a blank; `...` stands for what is the same. */
export function diffLines(before: string, after: string): string[] {
  const [old, young] = [linesOf(before), linesOf(after)];
  if (Math.max(old.length, young.length) > LINES_MAX) return ['... too long to compare'];
  const lines = compare(old, young);
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ mark }) => mark !== ' '),
  );
  return lines.flatMap(({ mark, text }, index) => {
    if (isNear[index] === true) return [`${mark}${text}`];
    return index > 0 && isNear[index - 1] !== true ? [] : ['...'];
  });
}
