import type { Diagnostic, Fix } from '../check/diagnostic.js';
import { applyFix, describeFix, fixesOf } from '../check/fixes.js';
import { EXIT } from '../model/exit-codes.js';
import { IzoError } from '../model/errors.js';
import { confirm } from './terminal/confirm.js';
import { renderFixes } from './render/check.js';

export interface RepairOptions {
  yes: boolean;
  dryRun: boolean;
  say: (line: string) => void;
}

/** Shows what can be repaired, and does it where the user agrees. @returns the changes that were made */
export async function repair(
  diagnostics: readonly Diagnostic[],
  { yes, dryRun, say }: RepairOptions,
): Promise<Fix[]> {
  const fixes = fixesOf(diagnostics);
  if (fixes.length === 0) {
    say('There is nothing that can be repaired without knowing what was meant.');
    return [];
  }
  say(dryRun ? 'This would be done:' : 'This can be done:');
  for (const line of renderFixes(fixes)) say(line);
  if (dryRun) return [];
  if (!yes && !(await confirm('Do it?'))) {
    throw new IzoError('cancelled', 'cancelled: nothing was changed', { exit: EXIT.failure });
  }
  for (const fix of fixes) {
    applyFix(fix);
    say(`done: ${describeFix(fix)[0] ?? ''}`);
  }
  return fixes;
}
