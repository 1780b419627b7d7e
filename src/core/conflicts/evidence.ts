import { isValidPath } from '../model/names.js';

/** Who merged what with whom. */
export interface MergeParties {
  readonly fileset: string;
  /** The host that merged. */
  readonly client: string;
  readonly server: string;
  readonly policy: string;
}

/** A conflict as it lies in the store, `conflict.json`: what happened, and what became of it. */
export interface ConflictEvidence extends MergeParties {
  readonly format: 1;
  /** When it was merged, in ISO 8601. */
  readonly time: string;
  readonly collision: string;
  readonly object: string;
  readonly winner: 'server' | 'client';
  /** Somebody has to decide. */
  readonly open: boolean;
  /** Where the version that stands is, to read; bytes that are no UTF-8 are escaped. */
  readonly path: string;
  /** The same, its bytes in base64. */
  readonly pathBytes: string;
  /** The version that lost, where it is a file beside the other. */
  readonly beside: string | null;
  readonly besideBytes: string | null;
  /** It is in the store, as `contents`. */
  readonly stored: boolean;
  /** The updates that collided, as `izo kml dump --json` shows records; null where several made it what it was. */
  readonly clientUpdate: unknown;
  readonly serverUpdate: unknown;
}

/** @returns the bytes of a path in a fileset, one a character; undefined where `base64` is none */
export function pathFromBase64(base64: string | null): string | undefined {
  if (base64 === null) return undefined;
  const path = Buffer.from(base64, 'base64').toString('latin1');
  return isValidPath(path) ? path : undefined;
}

export function pathToBase64(path: string): string {
  return Buffer.from(path, 'latin1').toString('base64');
}

/** @returns undefined for what is no evidence of this version */
export function parseEvidence(text: string): ConflictEvidence | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isEvidence(value) ? value : undefined;
}

const TEXTS = [
  ...['fileset', 'client', 'server', 'policy', 'time', 'collision', 'object', 'path', 'pathBytes'],
] as const;

function isEvidence(value: unknown): value is ConflictEvidence {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  const isTextOrNull = (field: unknown): boolean => field === null || typeof field === 'string';
  return (
    fields['format'] === 1 &&
    TEXTS.every((name) => typeof fields[name] === 'string') &&
    (fields['winner'] === 'server' || fields['winner'] === 'client') &&
    typeof fields['open'] === 'boolean' &&
    typeof fields['stored'] === 'boolean' &&
    isTextOrNull(fields['beside']) &&
    isTextOrNull(fields['besideBytes'])
  );
}
