import {
  AttrMask,
  Opcode,
  type JournalRecord,
  type RecordHead,
  type SetattrBody,
  type Time,
} from '../../model/records.js';
import { Changes } from './changes.js';
import { clientSteps } from './client-steps.js';
import { findHardLinks, findMissingFiles } from './hard-links.js';
import { MergeObjects, MergeRefused, type MergeObject, type Place } from './merge-object.js';
import { Merging, type MergeTerms } from './merging.js';
import type {
  Amendment,
  ClientStep,
  Conflict,
  DirectoryTime,
  Question,
  Touches,
} from './outcome.js';
import { redo, redoOne, undo, type Placed } from './placed.js';
import { replayLink, replayMake, replayRemove } from './replay-names.js';
import { replayClose, replaySetattr, replayXattr } from './replay-objects.js';
import { replayRename } from './replay-renames.js';
import { touchesOf } from './touches.js';
import { TreeNames, type ClientTree } from './tree-names.js';

/** What both sides have done since they were last equal. */
export interface Divergence {
  /** The client's tree as it is on disk. */
  readonly tree: ClientTree;
  /** The client's records that the server does not have. */
  readonly pending: readonly JournalRecord[];
  /** The server's records that the client does not have. */
  readonly news: readonly JournalRecord[];
  /** Directories' times at the server, where the news does not tell them. */
  readonly times?: readonly DirectoryTime[];
}

export interface Merge {
  /** What the server is told instead of `pending`. */
  readonly amendments: readonly Amendment[];
  /** What the client does to its own tree. */
  readonly steps: readonly ClientStep[];
  readonly conflicts: readonly Conflict[];
  /** Not empty: the contents have to be compared, and the merge made again with the answers. */
  readonly questions: readonly Question[];
  /** Objects that the amendments tell the server of anew, and where they are in the end. */
  readonly renewed: readonly { readonly object: MergeObject; readonly path: string }[];
  /** Where an object is in the end; undefined for one that is nowhere. */
  readonly pathOf: (object: MergeObject) => string | undefined;
  /** Where a place is in the end; undefined where its directory is nowhere. */
  readonly pathAt: (place: Place) => string | undefined;
  /** First number of the client's log that is still free: the amendments go from here on. */
  readonly nextFree: number;
}

/**
 * Merges what a client and its server did while they could not talk: the client's updates are made again on top of the
 * server's, one after the other, and where one collides the rules decide (`rules.ts`). The server only applies the
 * amendments; all else is done by the client, to its own tree. Afterwards both trees are equal. Pure.
 *
 * Identities, not paths, say what an update was about: an update finds its object also where the other side has moved it,
 * or a directory above it.
 * @throws MergeRefused where the histories do not fit the tree: then nothing may be done.
 */
export function merge({ tree, pending, news, times = [] }: Divergence, terms: MergeTerms): Merge {
  const objects = new MergeObjects();
  const base = new TreeNames(objects, tree);
  const ours = undo(base, pending);
  const server = base.copy();
  const theirs = redo(server, news);
  const touches = touchesOf(theirs);
  for (const { path, time } of times) {
    const directory = path === '' ? objects.root : server.at(server.place(path));
    if (directory !== undefined) touches.set(directory, time);
  }
  const changes = [new Changes(ours), new Changes(theirs)] as const;
  findHardLinks(new TreeNames(objects, tree), tree, ...changes);
  const merging = new Merging(terms, base, server.copy(), ...changes, touches);
  for (const placed of ours) {
    replay(merging, placed);
    redoOne(merging.client, placed.record);
  }
  const copies = makeCopies(merging, touches);
  const head = news.at(-1)?.head ?? pending.at(-1)?.head;
  if (head === undefined) throw new MergeRefused('there is nothing to merge');
  tellTimes(merging, touchesOf(ours), head);
  const disk = new TreeNames(objects, tree);
  findMissingFiles(disk, tree, merging, copies);
  const rootTime = disk.timeOnDisk(objects.root);
  const steps = clientSteps({
    rootTime,
    merging,
    disk,
    server,
    news: theirs,
    head,
    copies,
    touches,
  });
  const { amendments, conflicts, questions, nextFree } = merging;
  const pathOf = (object: MergeObject): string | undefined =>
    merging.merged.isAlive(object) ? merging.merged.pathOf(object) : undefined;
  const pathAt = (place: Place): string | undefined =>
    merging.merged.isAlive(place.directory) ? merging.merged.path(place) : undefined;
  const renewed = renewedBy(amendments, pathOf);
  return { amendments, steps, conflicts, questions, renewed, pathOf, pathAt, nextFree };
}

function renewedBy(
  amendments: readonly Amendment[],
  pathOf: (object: MergeObject) => string | undefined,
): { object: MergeObject; path: string }[] {
  return amendments.flatMap((amendment) => {
    if (amendment.type === 'record') return [];
    const object = amendment.type === 'copy' ? amendment.as : amendment.object;
    const path = pathOf(object);
    return path === undefined ? [] : [{ object, path }];
  });
}

function replay(merging: Merging, placed: Placed): void {
  switch (placed.record.body.op) {
    case Opcode.CREATE:
    case Opcode.MKDIR:
    case Opcode.SYMLINK:
    case Opcode.MKNOD:
      replayMake(merging, placed);
      return;
    case Opcode.UNLINK:
    case Opcode.RMDIR:
      replayRemove(merging, placed);
      return;
    case Opcode.LINK:
      replayLink(merging, placed);
      return;
    case Opcode.RENAME:
      replayRename(merging, placed);
      return;
    case Opcode.CLOSE:
      replayClose(merging, placed);
      return;
    case Opcode.SETATTR:
      replaySetattr(merging, placed);
      return;
    case Opcode.SETEXTATTR:
    case Opcode.DELEXTATTR:
      replayXattr(merging, placed);
      return;
    case Opcode.NOOP:
      return;
  }
}

/** The client's versions that lost get names of their own, beside where their file is in the end. */
function makeCopies(merging: Merging, touches: Touches): Map<MergeObject, MergeObject> {
  const copies = new Map<MergeObject, MergeObject>();
  for (const [object, conflict] of merging.copies) {
    const place = merging.merged.placeOf(object);
    if (conflict.verdict.loser !== 'beside' || place === undefined) continue;
    const { head } = conflict.client;
    const free = merging.freePlace(place, merging.terms.clientHost, head.time);
    const as = merging.merged.objects.get(merging.newObject(), false);
    merging.merged.put(free, as);
    touches.set(free.directory, head.time);
    const path = merging.merged.path(free);
    merging.amendments.push({ type: 'copy', head, of: object, as, path });
    conflict.beside = free;
    copies.set(as, object);
  }
  return copies;
}

/**
 * Directories in which only the client changed names have a time that the server would not come to, where some of these
 * changes were given up: it is told.
 */
function tellTimes(merging: Merging, ours: Touches, template: RecordHead): void {
  for (const [directory, time] of ours) {
    const object = merging.canonical(directory);
    const known = merging.touches.has(object) || merging.restored.has(object);
    if (known || !merging.merged.isAlive(object)) continue;
    merging.touches.set(object, time);
    merging.told.add(object);
    const path = merging.merged.pathOf(object);
    merging.emitOwn(template, object, { op: Opcode.SETATTR, path, ...onlyTime(time) });
  }
}

function onlyTime(mtime: Time): Omit<SetattrBody, 'op' | 'path'> {
  return { valid: AttrMask.mtime, mode: 0, uid: 0, gid: 0, atime: { sec: 0, nsec: 0 }, mtime };
}
