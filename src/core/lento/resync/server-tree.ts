import { IzoError } from '../../model/errors.js';
import type { Recno } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import type { TreeEntry } from '../../model/object-description.js';
import type { Connection } from '../../wire/connection.js';
import { ProtocolError } from '../../wire/errors.js';
import type { Fetch } from '../../wire/fetch.js';
import { Kind } from '../../wire/kinds.js';
import {
  decodeTreeItem,
  decodeWalkTrailer,
  encodeContentsRequest,
  encodeWalkRequest,
  TREE_ITEM_BYTES,
  type Address,
  type TreeItem,
  type WalkTrailer,
} from '../../wire/messages.js';

const LENGTH_BYTES = 4;

/** The server's tree, or what of it may be another since record `since`: what WALK answers. @throws IzoError too-many where it is more than a resync can deal with */
export async function walkServer(
  connection: Connection,
  address: Address,
  since: Recno,
  onEntries: (count: number) => void,
): Promise<{ entries: TreeEntry[]; trailer: WalkTrailer }> {
  const entries: TreeEntry[] = [];
  const fetch = connection.fetch(Kind.WALK, encodeWalkRequest({ ...address, since }));
  for await (const { entry } of treeItems(fetch)) {
    if (entries.length >= LIMITS.resyncEntries) throw tooMany();
    entries.push(entry);
    onEntries(entries.length);
  }
  return { entries, trailer: decodeWalkTrailer(fetch.trailer) };
}

export function tooMany(): IzoError {
  const objects = `the tree has more than ${LIMITS.resyncEntries} objects`;
  return new IzoError('too-many', `${objects}: they cannot be compared at once`);
}

/** Contents of small files: of those that are there and whole. */
export function smallContents(
  connection: Connection,
  address: Address,
  paths: readonly string[],
): AsyncGenerator<TreeItem, void> {
  const request = encodeContentsRequest({ ...address, paths });
  return treeItems(connection.fetch(Kind.CONTENTS, request));
}

/** Items as they stand in the stream one behind the other. @throws ProtocolError */
async function* treeItems(fetch: Fetch): AsyncGenerator<TreeItem, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of fetch) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length > TREE_ITEM_BYTES) throw new ProtocolError('an entry of a tree that is too long');
      const end = at + LENGTH_BYTES + length;
      if (end > bytes.length) break;
      yield decodeTreeItem(bytes.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    rest = Buffer.from(bytes.subarray(at));
  }
  if (rest.length > 0) throw new ProtocolError('an entry of a tree ends too early');
}
