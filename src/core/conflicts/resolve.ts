import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { carryOut, checkActions, fingerprint, forgetKept, type Workplace } from './carry-out.js';
import { pathFromBase64 } from './evidence.js';
import { resolutionOf, type Action, type Keep, type Resolution } from './resolution.js';
import { forgetResolved, writeResolved, type StoredConflict } from './store.js';

/** What a resolution does, or would do. */
export interface Done {
  readonly id: string;
  readonly actions: readonly Action[];
}

function refuse(id: string, reason: string, remedy: string): never {
  throw new IzoError('conflict-refused', `${id}: ${reason}`, { exit: EXIT.refused, remedy });
}

/**
 * Lets the version of one side stand alone, through the mount: an update like any other, which all hosts get. What leaves
 * the tree stays in the store. @param really false: only tells what would be done
 * @throws IzoError conflict-refused, conflict-gone, conflict-kind, and what the file system says: then it can be done again
 */
export async function resolveConflict(
  conflict: StoredConflict,
  mountPoint: string,
  keep: Keep,
  really: boolean,
): Promise<Done> {
  const { id, evidence, resolved } = conflict;
  if (resolved?.state === 'done') {
    refuse(id, 'it is resolved already', `\`izo conflicts undo ${id}\` first.`);
  }
  const resolution = resolutionOf(evidence, keep);
  if (typeof resolution === 'string') {
    refuse(id, resolution, `\`izo conflicts show ${id}\`, and --keep both when it is settled.`);
  }
  const place = { mountPoint, directory: conflict.directory, id };
  // One that was interrupted goes on where it stopped.
  if (resolved === undefined) checkActions(place, resolution.actions);
  else if (resolved.keep !== keep) {
    refuse(
      id,
      `its resolution was interrupted`,
      `izo conflicts resolve --keep ${resolved.keep} ${id}`,
    );
  }
  if (really) await perform(conflict, place, keep, resolution);
  return { id, actions: resolution.actions };
}

async function perform(
  conflict: StoredConflict,
  place: Workplace,
  keep: Keep,
  { actions, undo }: Resolution,
): Promise<void> {
  const about = { format: 1, time: new Date().toISOString(), keep, undo } as const;
  if (conflict.resolved === undefined) forgetKept(place);
  writeResolved(conflict, { ...about, state: 'begun', standing: null });
  for (const action of actions) await carryOut(place, action);
  const standing = stands(conflict, place);
  writeResolved(conflict, { ...about, state: 'done', standing });
}

/** What nothing was done to may be anything, a directory too. */
function stands({ evidence }: StoredConflict, place: Workplace): string | null {
  const path = pathFromBase64(evidence.pathBytes);
  try {
    return path === undefined ? null : fingerprint(place, path);
  } catch {
    return null;
  }
}

/** @throws IzoError conflict-refused where the file has changed since, or nothing was resolved */
export async function undoResolution(
  conflict: StoredConflict,
  mountPoint: string,
  really: boolean,
): Promise<Done> {
  const { id, resolved, directory } = conflict;
  if (resolved === undefined) refuse(id, 'it is not resolved', `\`izo conflicts show ${id}\`.`);
  const place = { mountPoint, directory, id };
  if (resolved.undo.length > 0) {
    if (resolved.state === 'begun') {
      refuse(id, 'its resolution was interrupted', `\`izo conflicts resolve ${id}\` again.`);
    }
    if (stands(conflict, place) !== resolved.standing) {
      const remedy = `The versions are in ${directory}.`;
      refuse(id, 'the file has been changed since it was resolved', remedy);
    }
    checkActions(place, resolved.undo);
  }
  if (really) {
    for (const action of resolved.undo) await carryOut(place, action);
    forgetResolved(conflict);
  }
  return { id, actions: resolved.undo };
}
