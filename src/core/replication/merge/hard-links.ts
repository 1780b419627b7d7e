import type { Changes } from './changes.js';
import type { MergeObject } from './merge-object.js';
import type { Merging } from './merging.js';
import type { ClientTree, TreeNames } from './tree-names.js';

/**
 * Makes the names known that no update mentions of files that have several, or had: whether a file is gone with a name
 * depends on them.
 * @param disk the client's tree as it is on disk
 */
export function findHardLinks(
  disk: TreeNames,
  tree: ClientTree,
  ours: Changes,
  theirs: Changes,
): void {
  const touched = new Set([...ours.objects(), ...theirs.objects()]);
  for (const object of touched) {
    if (object.isDirectory) continue;
    const known = disk.placesOf(object).length;
    const closed = ours.of(object)?.closed?.body;
    const isHidden =
      known > 0
        ? object.links > known
        : ours.of(object)?.unnamed === true && (ours.isUpdated(object) || theirs.isUpdated(object));
    if (!isHidden) continue;
    learn(disk, tree.namesOf(object.id, closed?.handle));
  }
}

/**
 * The same for files that the server has and the client does not seem to have: then they need not be fetched.
 * @param copies files that are to be made
 */
export function findMissingFiles(
  disk: TreeNames,
  tree: ClientTree,
  merging: Merging,
  copies: ReadonlyMap<MergeObject, MergeObject>,
): void {
  const { merged, serverChanges, clientChanges } = merging;
  for (const place of [...merged.changed()]) {
    const object = merged.at(place);
    if (object === undefined || object.isDirectory || object.disk !== undefined) continue;
    const made = serverChanges.of(object)?.made ?? clientChanges.of(object)?.made;
    if (made === undefined && !copies.has(object)) learn(disk, tree.namesOf(object.id, undefined));
  }
}

/** To look at a name is to know it. */
function learn(disk: TreeNames, paths: readonly string[]): void {
  for (const path of paths) disk.at(disk.place(path));
}
