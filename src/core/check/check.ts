import { checkBetween } from './between.js';
import { checkCaches } from './caches.js';
import { collect, diagnose, type Diagnostic, type Finding } from './diagnostic.js';
import type { HostFacts } from './facts.js';
import { checkHost } from './host.js';
import { checkKeys } from './keys.js';
import { checkFstabLines, checkMountPoints } from './mounts.js';
import { checkPeers, type NetworkFacts } from './peers.js';
import type { Severity } from './registry.js';
import type { Survey } from './survey.js';

/** Everything that is wrong in the files, between them, and between them and the host. Does nothing but compare. */
export function check(survey: Survey, facts: HostFacts, network?: NetworkFacts): Diagnostic[] {
  const found = collect((tell) => {
    checkBetween(survey, tell);
    checkFstabLines(survey, tell);
    checkMountPoints(survey, facts, tell);
    checkCaches(survey, facts, tell);
    checkKeys(survey, facts, tell);
    checkHost(survey, facts, tell);
    if (network !== undefined) checkPeers(survey, network, tell);
  });
  return sorted([...survey.findings, ...found]);
}

const GRAVITY: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 };

/** What is worst first; within that by file and place, as one reads. */
export function sorted(findings: readonly Finding[]): Diagnostic[] {
  return findings
    .map(diagnose)
    .sort(
      (a, b) =>
        GRAVITY[a.severity] - GRAVITY[b.severity] ||
        (a.place.file < b.place.file ? -1 : a.place.file > b.place.file ? 1 : 0) ||
        (a.place.line ?? 0) - (b.place.line ?? 0) ||
        (a.place.column ?? 0) - (b.place.column ?? 0),
    );
}

export type Counts = Record<Severity, number>;

export function countBySeverity(diagnostics: readonly Diagnostic[]): Counts {
  const counts: Counts = { error: 0, warning: 0, note: 0 };
  for (const { severity } of diagnostics) counts[severity] += 1;
  return counts;
}
