import type { Changes } from './changes.js';
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
    // To look at a name is to know it.
    for (const path of tree.namesOf(object.id, closed?.handle)) disk.at(disk.place(path));
  }
}
