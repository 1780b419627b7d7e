import { FILES } from './registry/files.js';
import { FSTAB } from './registry/fstab.js';
import { HOST } from './registry/host.js';
import { PEERS } from './registry/peers.js';
import type { Section, Severity } from './registry/row.js';

export type { Severity } from './registry/row.js';

/** All diagnostics there are, in one place. Ids and codes are never used again for something else. */
export const SECTIONS: readonly Section[] = [...FILES, ...FSTAB, ...HOST, ...PEERS];

export interface Explanation {
  id: string;
  severity: Severity;
  title: string;
  explanation: string;
}

const BY_CODE = new Map<string, Explanation>(
  SECTIONS.flatMap(({ rows }) =>
    rows.map(([id, code, severity, title, explanation]) => [
      code,
      { id, severity, title, explanation },
    ]),
  ),
);

/** Undefined for a code that no check tells. */
export function explanationOf(code: string): Explanation | undefined {
  return BY_CODE.get(code);
}
