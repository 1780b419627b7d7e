import { stripVTControlCharacters } from 'node:util';

export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number;
  /** Numbers read better to the right. */
  align?: 'left' | 'right';
}

/** Columns on a terminal, not UTF-16 units: combining marks take none, wide characters two. */
function width(text: string): number {
  let columns = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) continue;
    columns +=
      /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return columns;
}

/** A cell must not break its line, and a file name must not steer the terminal. */
function cell(value: string | number): string {
  return String(value).replaceAll(/\p{Cc}/gu, '?');
}

/**
 * Rows in plain columns with a line of titles: no frames, no colours, two blanks between columns, nothing at the ends
 * of lines, so that awk(1) and column-wise reading both work. Empty cells are `-`.
 */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => cell(value(row)) || '-')),
  ];
  const widths = columns.map((_, index) =>
    lines.reduce((most, line) => Math.max(most, width(line[index] ?? '')), 0),
  );
  return lines
    .map((line) =>
      line
        .map((text, index) => {
          const padding = ' '.repeat((widths[index] ?? 0) - width(text));
          return columns[index]?.align === 'right' ? padding + text : text + padding;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
