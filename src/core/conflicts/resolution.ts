import type { ConflictEvidence } from './evidence.js';
import { pathFromBase64 } from './evidence.js';

/** Which version is to stand alone; `both`: all stays as it is, and counts as looked at. */
export type Keep = 'server' | 'client' | 'both';

/** A file in the conflict's directory, where a version is or is put before it leaves the tree. */
export type Kept = 'contents' | 'standing' | 'beside';

/** What is done to resolve a conflict, or to undo that. Paths are bytes, from the root of the fileset. */
export type Action =
  /** The version at `path` is copied into the store. */
  | { readonly type: 'keep'; readonly path: string; readonly as: Kept }
  | { readonly type: 'remove'; readonly path: string }
  /** Takes the place of what is there. */
  | { readonly type: 'move'; readonly from: string; readonly to: string }
  /** The contents of a version in the store become those of the file at `path`. */
  | { readonly type: 'contents'; readonly from: Kept; readonly path: string }
  /** A version in the store is put back as it was, with all its attributes, in place of what is there. */
  | { readonly type: 'restore'; readonly from: Kept; readonly path: string };

export interface Resolution {
  readonly actions: readonly Action[];
  /** What undoes them. */
  readonly undo: readonly Action[];
}

/** Whether somebody should look at it: a decision is missing, or a version lies about in the tree. */
export function wantsResolution({ open, beside }: ConflictEvidence): boolean {
  return open || beside !== null;
}

/**
 * How to let the version of one side stand alone. Nothing leaves the tree that is not kept in the store before. Pure.
 * @returns a string where that cannot be done by izo, and why
 */
export function resolutionOf(evidence: ConflictEvidence, keep: Keep): Resolution | string {
  if (keep === 'both') return { actions: [], undo: [] };
  const path = pathFromBase64(evidence.pathBytes);
  const beside = pathFromBase64(evidence.besideBytes);
  if (path === undefined) return 'the name of the version that stands is not known';
  if (keep === evidence.winner) return beside === undefined ? NOTHING : removal(beside);
  if (beside !== undefined) return replacement(path, beside);
  if (evidence.stored) return contents(path);
  return `the version of the ${keep} is not in the store: only what the records tell is known of it`;
}

const NOTHING: Resolution = { actions: [], undo: [] };

function removal(beside: string): Resolution {
  return {
    actions: [
      { type: 'keep', path: beside, as: 'beside' },
      { type: 'remove', path: beside },
    ],
    undo: [{ type: 'restore', from: 'beside', path: beside }],
  };
}

function replacement(path: string, beside: string): Resolution {
  return {
    actions: [
      { type: 'keep', path, as: 'standing' },
      { type: 'move', from: beside, to: path },
    ],
    undo: [
      { type: 'move', from: path, to: beside },
      { type: 'restore', from: 'standing', path },
    ],
  };
}

function contents(path: string): Resolution {
  return {
    actions: [
      { type: 'keep', path, as: 'standing' },
      { type: 'contents', from: 'contents', path },
    ],
    undo: [{ type: 'restore', from: 'standing', path }],
  };
}
