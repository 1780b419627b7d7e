import { formatObjectId, type ObjectId } from '../../model/ids.js';
import { splitPath } from '../../model/names.js';
import { FLAGS_XATTR } from '../../model/object-flags.js';
import type { TreeEntry } from '../../model/object-description.js';
import { Opcode, type JournalRecord } from '../../model/records.js';

/** Where a tree may be another one than it was some records ago. */
export interface Touched {
  /** What has these names may be something else, with all that is in it. None of them is in another one. */
  readonly deep: readonly string[];
  /** What has these names may have other attributes or contents; none of them is in one of `deep`. */
  readonly shallow: readonly string[];
  /** Objects with other attributes or contents, whatever their names. */
  readonly objects: readonly ObjectId[];
}

/**
 * What has to be looked at again after these records: by the names that they were about, whatever became of those since. Who
 * looks sees each as it is now, and what has moved has done so to a name that is among them. Pure.
 */
export function touchedBy(records: readonly JournalRecord[]): Touched {
  const deep = new Set<string>();
  const shallow = new Set<string>();
  const objects = new Map<string, ObjectId>();
  const name = (path: string): void => {
    deep.add(path);
    shallow.add(splitPath(path).directory);
  };
  for (const { head, body } of records) {
    switch (body.op) {
      case Opcode.NOOP:
        break;
      case Opcode.CREATE:
      case Opcode.MKDIR:
      case Opcode.SYMLINK:
      case Opcode.MKNOD:
      case Opcode.UNLINK:
      case Opcode.RMDIR:
        name(body.path);
        break;
      case Opcode.RENAME:
        name(body.path);
        name(body.newPath);
        break;
      case Opcode.LINK:
        name(body.newPath);
        break;
      default:
        // What is in a directory tells of flags where the directory has some.
        if ('name' in body && body.name === FLAGS_XATTR) deep.add(body.path);
        shallow.add(body.path);
        objects.set(formatObjectId(head.object), head.object);
    }
  }
  return {
    deep: [...deep].filter((path) => path === '' || !isIn(deep, splitPath(path).directory)),
    shallow: [...shallow].filter((path) => !isIn(deep, path)),
    objects: [...objects.values()],
  };
}

/** Whether the path, or a directory above it, is one of these. */
function isIn(paths: ReadonlySet<string>, path: string): boolean {
  for (let at = path; at !== ''; at = splitPath(at).directory) if (paths.has(at)) return true;
  return paths.has('');
}

/**
 * A tree, looked at some records ago, as it is now. It may have changed already while it was looked at: then all of that is
 * touched.
 * @param found what was found when it was looked again at what is touched
 * @returns directories before what is in them; undefined where all of it has to be looked at: a file has a name nobody told of
 */
export function refreshed(
  entries: readonly TreeEntry[],
  { deep, objects }: Omit<Touched, 'shallow'>,
  found: readonly TreeEntry[],
): TreeEntry[] | undefined {
  const gone = new Set(deep);
  const tree = new Map<string, TreeEntry>();
  for (const entry of entries) if (!isIn(gone, entry.path)) tree.set(entry.path, entry);
  const seen = new Set<string>();
  for (const entry of found) {
    if (!tree.has(entry.path) && !isIn(gone, entry.path)) return undefined;
    tree.set(entry.path, entry);
    seen.add(entry.path);
  }
  const touched = new Set(objects.map(formatObjectId));
  for (const { object, path } of touched.size === 0 ? [] : tree.values()) {
    if (touched.has(formatObjectId(object)) && !seen.has(path)) return undefined;
  }
  return [...tree.values()];
}
