import { formatPlace } from '../../model/errors.js';
import type { PlannedFile, Problem } from '../../config/index.js';
import type { Preparation } from '../../setup/carry-out.js';
import { diffLines } from './diff.js';

/** A text of a file must not steer the terminal that shows it. */
function harmless(line: string): string {
  return line.replaceAll(/[^\P{Cc}\t]/gu, '?');
}

function renderFile({ path, before, after }: PlannedFile): string[] {
  const title = before === undefined ? `${path} (new)` : `${path} (kept as ${path}.bak)`;
  return [title, ...diffLines(before ?? '', after).map((line) => `  ${harmless(line)}`), ''];
}

export function renderWarning({ message, place, remedy }: Problem): string {
  return `warning: ${formatPlace(place)}: ${message}. Try: ${remedy}`;
}

/** All that would be done, in the order in which it is done. */
export function renderPreparation(preparation: Preparation): string[] {
  const { plan, caches, directories, secrets } = preparation;
  const lines = plan.files.flatMap(renderFile);
  for (const step of caches) {
    const { cache, fileset, cacheType } = step.mount;
    const what = `the cache of ${fileset}, ${cacheType}`;
    if (step.kind === 'make') lines.push(`make ${cache}: ${what}, ${step.size / 2 ** 20} MiB`);
    if (step.kind === 'format') lines.push(`format ${cache}: ${what}`);
  }
  for (const directory of directories) lines.push(`make the directory ${directory}`);
  for (const { path } of secrets) lines.push(`make the key ${path}`);
  return lines;
}
