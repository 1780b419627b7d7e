import { table, type Column } from '../../src/core/cli/render/table.js';
import { figure } from '../harness/report.js';

/** A row of a table that has a column for each size. */
export interface Line<Result> {
  readonly what: string;
  readonly unit: string;
  readonly value: (result: Result) => number;
}

/** @param sizeOf the title of a column */
export function renderLines<Result>(
  title: string,
  lines: readonly Line<Result>[],
  results: readonly Result[],
  sizeOf: (result: Result) => string,
): string {
  const columns: Column<Line<Result>>[] = [
    { title, value: ({ what }) => what },
    { title: 'UNIT', value: ({ unit }) => unit },
    ...results.map((result): Column<Line<Result>> => {
      const value = (line: Line<Result>): string => figure(line.value(result));
      return { title: sizeOf(result), align: 'right', value };
    }),
  ];
  return table(lines, columns);
}
