import { countBySeverity } from '../../check/check.js';
import type { Diagnostic, Fix } from '../../check/diagnostic.js';
import { describeFix } from '../../check/fixes.js';
import { EXIT, type ExitCode } from '../../model/exit-codes.js';
import { formatPlace } from '../../model/errors.js';

/** `file:line:column: error IZO1021: what. Why.` and what to do, as compilers and editors know it. */
export function renderDiagnostic(diagnostic: Diagnostic): string[] {
  const { id, severity, place, message, explanation, remedy } = diagnostic;
  return [
    `${formatPlace(place)}: ${severity} ${id}: ${message}`,
    `  ${explanation}`,
    `  Try: ${remedy}`,
  ];
}

function counted(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

export function renderSummary(diagnostics: readonly Diagnostic[]): string {
  const { error, warning, note } = countBySeverity(diagnostics);
  if (error + warning + note === 0) return 'Nothing is wrong.';
  return `${counted(error, 'error')}, ${counted(warning, 'warning')}, ${counted(note, 'note')}.`;
}

export function renderFixes(fixes: readonly Fix[]): string[] {
  return fixes.flatMap(describeFix).map((line) => `  ${line}`);
}

/** Notes are no reason to fail. */
export function exitOf(diagnostics: readonly Diagnostic[]): ExitCode {
  const { error, warning } = countBySeverity(diagnostics);
  if (error > 0) return EXIT.failure;
  return warning > 0 ? EXIT.findings : EXIT.ok;
}
