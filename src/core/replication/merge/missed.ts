import type { MergeObject } from './merge-object.js';
import type { Merging } from './merging.js';

/** Its removal would undo an update of the server, or take away what that put into it. */
export function isMissed(merging: Merging, object: MergeObject): boolean {
  if (object.isDirectory && merging.merged.hasEntries(object)) return true;
  if (merging.merged.placesOf(object).length > 1) return false;
  // The server removed the name by which the client goes on having it: nobody has removed the file.
  return merging.client.placesOf(object).length > 1 || merging.serverChanges.isUpdated(object);
}
