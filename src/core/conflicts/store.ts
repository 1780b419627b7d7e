import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { META_DIRECTORY } from '../model/names.js';
import { writeFileAtomically } from '../system/atomic-file.js';
import { parseEvidence, type ConflictEvidence } from './evidence.js';
import { wantsResolution, type Action, type Keep } from './resolution.js';

/** That a conflict was resolved, `resolution.json`; and how that is undone. */
export interface Resolved {
  readonly format: 1;
  readonly time: string;
  readonly keep: Keep;
  /** `begun`: it was interrupted; doing it again is safe. */
  readonly state: 'begun' | 'done';
  readonly undo: readonly Action[];
  /** What the file that stands was like afterwards: where it has changed since, nothing is undone. */
  readonly standing: string | null;
}

export interface StoredConflict {
  readonly id: string;
  /** Its directory in the store. */
  readonly directory: string;
  readonly evidence: ConflictEvidence;
  readonly resolved: Resolved | undefined;
}

const EVIDENCE = 'conflict.json';
const RESOLUTION = 'resolution.json';

/** Identifiers are names of directories. */
export function isConflictId(text: string): boolean {
  return /^[0-9a-z][0-9a-z-]*$/.test(text) && text.length <= 64;
}

/** The conflicts of a fileset that this host has merged, the oldest first; what is damaged is left out. */
export function listConflicts(lowerPath: string, fileset: string): StoredConflict[] {
  const store = join(lowerPath, META_DIRECTORY, fileset, 'conflicts');
  const found = readdirSync(store).filter(isConflictId).sort(byTime);
  return found.map((id) => readConflict(join(store, id), id)).filter((c) => c !== undefined);
}

/** `20261122-235901-END-N`: the last numbers grow in length. */
function byTime(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function readConflict(directory: string, id: string): StoredConflict | undefined {
  const text = readText(join(directory, EVIDENCE));
  const evidence = text === undefined ? undefined : parseEvidence(text);
  if (evidence === undefined) return undefined;
  const resolution = readText(join(directory, RESOLUTION));
  const resolved = resolution === undefined ? undefined : (JSON.parse(resolution) as Resolved);
  return { id, directory, evidence, resolved };
}

function readText(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  return readFileSync(path, 'utf8');
}

/** Nobody has resolved it, and somebody should. */
export function isUnresolved({ evidence, resolved }: StoredConflict): boolean {
  return wantsResolution(evidence) && resolved?.state !== 'done';
}

export function countUnresolved(lowerPath: string, fileset: string): number {
  return listConflicts(lowerPath, fileset).filter(isUnresolved).length;
}

export function writeResolved({ directory }: StoredConflict, resolved: Resolved): void {
  const data = `${JSON.stringify(resolved, null, 2)}\n`;
  writeFileAtomically({ path: join(directory, RESOLUTION), data, mode: 0o600 });
}

export function forgetResolved({ directory }: StoredConflict): void {
  rmSync(join(directory, RESOLUTION), { force: true });
}
