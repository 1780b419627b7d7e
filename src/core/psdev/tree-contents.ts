import type { ObjectId, Stamp } from '../model/ids.js';

/**
 * Names in the stage of contents that a resync has collected: which version of which object they are. So what was there when
 * a host went down is not fetched again.
 */
export function treeContentsName(object: ObjectId, content: Stamp): string {
  const numbers = [object.replica, object.number, content.replica, content.recno];
  return numbers.map((n) => n.toString(16)).join('-');
}

export function isTreeContents(name: string): boolean {
  return /^[0-9a-f]+(-[0-9a-f]+){3}$/.test(name);
}
