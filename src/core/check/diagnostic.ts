import { assert } from '../model/assert.js';
import type { Place } from '../model/errors.js';
import { explanationOf, type Severity } from './registry.js';

/** A change that is safe to make without knowing what the user meant. What it replaces is kept, or can be given back. */
export type Fix =
  | { kind: 'chmod'; path: string; mode: number }
  | { kind: 'chown'; path: string; uid: number; gid: number }
  | { kind: 'mkdir'; path: string; mode: number }
  /** The text that was there stays as PATH.bak. */
  | { kind: 'write'; path: string; before: string; after: string };

/** One thing that a check has found. What is the same for all of its kind is in the registry, under the code. */
export interface Finding {
  /** Stable, lower-case words joined by hyphens. */
  code: string;
  message: string;
  place: Place;
  remedy: string;
  fixes?: readonly Fix[];
}

/** A finding as users see it. */
export interface Diagnostic extends Finding {
  /** Stable: `IZO` and four digits; see docs/diagnostics.md. */
  id: string;
  severity: Severity;
  /** Why it matters. */
  explanation: string;
  fixes: readonly Fix[];
}

/** How the checks tell of what they find. */
export type Tell = (finding: Finding) => void;

export function diagnose({ code, message, place, remedy, fixes = [] }: Finding): Diagnostic {
  const entry = explanationOf(code);
  assert(entry !== undefined, `the registry of diagnostics knows ${code}`);
  const { id, severity, explanation } = entry;
  return { id, severity, code, message, place, explanation, remedy, fixes };
}

/** Runs a check and collects what it tells. */
export function collect(check: (tell: Tell) => void): Finding[] {
  const findings: Finding[] = [];
  check((finding) => findings.push(finding));
  return findings;
}
