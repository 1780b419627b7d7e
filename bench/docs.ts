import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plotsOf, type ScaleResult } from './scale/plots.js';

/**
 * Takes results of the benchmark into the documents: `npm run bench:docs -- FILE...`, each FILE from `--json`. What was
 * printed, and what is plotted, stands in docs/performance.md as it was measured; a test keeps it so.
 */

const DOCS = fileURLToPath(new URL('../docs/', import.meta.url));
export const PAGE = join(DOCS, 'performance.md');
/** The results that the page shows, and their plots. */
export const RESULTS = join(DOCS, 'performance');

/** A part's results as the harness writes them. */
export interface PartResult {
  readonly printed: string;
}

/** The block of the page that shows a part. */
export function blockOf(part: string, { printed }: PartResult): string {
  return `<!-- bench ${part} -->\n\n\`\`\`\n${printed.trim()}\n\`\`\`\n\n<!-- end -->`;
}

/** @returns the blocks that the page has, by part */
export function blocksIn(page: string): Map<string, string> {
  const blocks = page.matchAll(/<!-- bench (\S+) -->[^]*?<!-- end -->/g);
  return new Map([...blocks].map(([block, part = '']) => [part, block]));
}

/** What is drawn of a part, by the names of the files. */
export function plotsOfPart(part: string, result: PartResult): Map<string, string> {
  return part === 'scale' ? plotsOf(result as PartResult & ScaleResult) : new Map<string, string>();
}

function take(file: string): void {
  const parts = JSON.parse(readFileSync(file, 'utf8')) as Record<string, PartResult>;
  mkdirSync(RESULTS, { recursive: true });
  for (const [part, result] of Object.entries(parts)) {
    const page = readFileSync(PAGE, 'utf8');
    const shown = blocksIn(page).get(part);
    if (shown === undefined) throw new Error(`${PAGE} has no block for ${part}`);
    writeFileSync(
      PAGE,
      page.replace(shown, () => blockOf(part, result)),
    );
    writeFileSync(join(RESULTS, `${part}.json`), `${JSON.stringify(result)}\n`);
    for (const [name, svg] of plotsOfPart(part, result)) writeFileSync(join(RESULTS, name), svg);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of process.argv.slice(2)) take(file);
}
