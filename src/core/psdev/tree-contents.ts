import type { ObjectId, Stamp } from '../model/ids.js';

/** Nothing else in the stage is called like that: what is may be kept, and removed, without a look at it. */
const PREFIX = 'tree-';

/**
 * Names in the stage of contents that a resync has collected: which version of which object they are. So what was there when
 * a host went down is not fetched again.
 */
export function treeContentsName(object: ObjectId, content: Stamp): string {
  const numbers = [object.replica, object.number, content.replica, content.recno];
  return `${PREFIX}${numbers.map((n) => n.toString(16)).join('-')}`;
}

export function isTreeContents(name: string): boolean {
  return name.startsWith(PREFIX);
}
