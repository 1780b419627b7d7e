/**
 * An error keeps something from working, a warning may lose data, secrets or time, a note is worth knowing and does not
 * change the exit code.
 */
export type Severity = 'error' | 'warning' | 'note';

/** What is said once about all findings of a kind. `[id, code, severity, what it is, why it matters]`. */
export type Row = readonly [string, string, Severity, string, string];

/** A part of the documentation. */
export interface Section {
  title: string;
  rows: readonly Row[];
}
