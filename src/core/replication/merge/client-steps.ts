import { NO_STAMP } from '../../model/ids.js';
import {
  AttrMask,
  Opcode,
  stampOf,
  type CloseBody,
  type JournalRecord,
  type RecordBody,
  type RecordHead,
  type Time,
} from '../../model/records.js';
import { ClientNames } from './client-names.js';
import type { MergeObject } from './merge-object.js';
import type { Merging } from './merging.js';
import type { ClientStep, Touches } from './outcome.js';
import type { Placed } from './placed.js';
import { onlyBits } from './replay-objects.js';
import type { TreeNames } from './tree-names.js';

/** What the plan for the client's tree is made from. */
export interface ClientSide {
  readonly merging: Merging;
  /** The client's tree as it is on disk. */
  readonly disk: TreeNames;
  /** The server's tree as it is there. */
  readonly server: TreeNames;
  readonly news: readonly Placed[];
  /** What updates that only change names bear besides these. */
  readonly head: RecordHead;
  /** The client's own files' copies: new object -> file it is a copy of. */
  readonly copies: ReadonlyMap<MergeObject, MergeObject>;
  readonly touches: Touches;
  readonly rootTime: Time;
}

/** What the client has to do to its tree so that it ends as the server does once that has the amendments. */
export function clientSteps(side: ClientSide): ClientStep[] {
  const { merging } = side;
  const fetched = new Set<MergeObject>();
  const names = new ClientNames(merging, side.disk, side.head, makingFor(side, fetched));
  names.run();
  const becoming = [...merging.aliases, ...revived(side)].map(([ours, theirs]) =>
    become(side, ours, theirs),
  );
  const stored = [...merging.storedOfServer].map((object): ClientStep => {
    return { type: 'store-of-server', object, serverPath: side.server.pathOf(object) };
  });
  return [
    ...stored,
    ...losing(side),
    ...becoming.flat(),
    ...names.steps,
    ...updates(side, fetched),
    ...again(side, fetched),
    ...times(side, names.usedRoot),
  ];
}

function makingFor(side: ClientSide, fetched: Set<MergeObject>) {
  return (object: MergeObject, path: string, names: ClientNames): ClientStep => {
    const original = side.copies.get(object);
    if (original !== undefined) {
      return { type: 'copy', as: object, from: names.pathOf(original), path };
    }
    const { serverChanges, clientChanges } = side.merging;
    const own = clientChanges.of(object)?.made;
    const theirs = serverChanges.of(object)?.made;
    // A directory that it made, and removed although the server needs it.
    if (theirs === undefined && own !== undefined) fetched.add(object);
    const made = (theirs ?? own)?.record;
    if (made !== undefined && 'path' in made.body) {
      return { type: 'record', head: made.head, body: { ...made.body, path } as RecordBody };
    }
    fetched.add(object);
    return { type: 'fetch', object, serverPath: side.server.pathOf(object), path };
  };
}

/** Files that lose their contents here, where these go to the conflict store and not to a copy beside. */
function losing({ merging }: ClientSide): ClientStep[] {
  return [...merging.copies].flatMap(([object, { verdict }]): ClientStep[] => {
    // What leaves the tree is stored then.
    if (verdict.loser !== 'stored' || merging.stored.has(object)) return [];
    return object.disk === undefined ? [] : [{ type: 'store', object, path: object.disk }];
  });
}

/**
 * Objects that the client has and that the server has made again after it had removed them, for another client that had
 * updated them: of what the client has of them only the contents may stay.
 */
function revived({ merging, news }: ClientSide): [MergeObject, MergeObject][] {
  const objects = new Set<MergeObject>();
  for (const { object } of news) {
    const isMade = merging.serverChanges.of(object)?.made !== undefined;
    if (isMade && object.disk !== undefined && merging.merged.isAlive(object)) objects.add(object);
  }
  for (const object of merging.restored) objects.delete(object);
  return [...objects].map((object) => [object, object]);
}

/** Both have it: the client's takes on the identity and the attributes of the server's. */
function become(side: ClientSide, ours: MergeObject, theirs: MergeObject): ClientStep[] {
  const change = side.merging.serverChanges.of(theirs);
  const made = change?.made?.record;
  if (made === undefined || ours.disk === undefined) return [];
  const { head, body } = made;
  const own = side.merging.clientContents.has(theirs)
    ? side.merging.clientChanges.of(ours)?.closed
    : undefined;
  const closed = own ?? change?.closed;
  // Contents that have yet to come are not there: a CLOSE of a version that a file has already changes nothing.
  const comes = closed !== undefined && wantsContents(side.merging, theirs, closed.record);
  const content = stampOf(closed === undefined || comes ? made : closed.record);
  const path = ours.disk;
  const steps: ClientStep[] = [{ type: 'become', path, object: theirs, content }];
  if (!('uid' in body) || body.op === Opcode.SETATTR) return steps;
  const isLink = body.op === Opcode.SYMLINK;
  const { uid, gid } = body;
  const mode = isLink ? 0 : (change?.closed?.body.mode ?? body.mode & 0o7777);
  const mtime = change?.closed?.body.mtime ?? head.time;
  const valid = AttrMask.uid | AttrMask.gid | AttrMask.mtime | (isLink ? 0 : AttrMask.mode);
  const atime = { sec: 0, nsec: 0 };
  const set = { op: Opcode.SETATTR, path, valid, mode, uid, gid, atime, mtime } as const;
  steps.push({ type: 'record', head: { ...head, object: theirs.id, before: NO_STAMP }, body: set });
  return steps;
}

/** The server's attributes and contents, in its order. */
function updates({ merging, news, server }: ClientSide, fetched: Set<MergeObject>): ClientStep[] {
  const steps: ClientStep[] = [];
  const toBeMade = new Set(news.map(({ object }) => object));
  const closed = new Set<MergeObject>();
  for (const { object, record } of news) {
    const { head, body } = record;
    const made = merging.serverChanges.of(object)?.made;
    if (made === undefined || made.record === record) toBeMade.delete(object);
    // What was done to it before it was removed and made again.
    if (toBeMade.has(object)) continue;
    if (!isContent(body) || fetched.has(object) || !merging.merged.isAlive(object)) continue;
    if (!server.isAlive(object)) continue;
    const close = merging.serverChanges.of(object)?.closed;
    if (close?.record === record) closed.add(object);
    if (body.op === Opcode.CLOSE && !wantsContents(merging, object, record)) continue;
    const path = merging.merged.pathOf(object);
    const isPast = merging.carried.has(object) && close !== undefined && !closed.has(object);
    const then = isPast ? withTimeAndMode(body, close.body) : body;
    steps.push({ type: 'record', head, body: { ...then, path } });
  }
  return steps;
}

/** What was set before the contents were closed, which are here already with the time and the mode that they then got. */
function withTimeAndMode(body: ContentBody, { mode, mtime }: CloseBody): ContentBody {
  if (body.op !== Opcode.SETATTR) return body;
  return onlyBits({ ...body, mode, mtime }, body.valid);
}

type ContentBody = Extract<
  RecordBody,
  {
    op:
      | typeof Opcode.CLOSE
      | typeof Opcode.SETATTR
      | typeof Opcode.SETEXTATTR
      | typeof Opcode.DELEXTATTR;
  }
>;

function isContent(body: RecordBody): body is ContentBody {
  switch (body.op) {
    case Opcode.CLOSE:
    case Opcode.SETATTR:
    case Opcode.SETEXTATTR:
    case Opcode.DELEXTATTR:
      return true;
    default:
      return false;
  }
}

function wantsContents(merging: Merging, object: MergeObject, record: JournalRecord): boolean {
  if (merging.serverChanges.of(object)?.closed?.record !== record) return false;
  return !merging.carried.has(object) && !merging.clientContents.has(object);
}

/** Where the server's attributes came over the client's, those that the client adds to them come last here as well. */
function again({ merging }: ClientSide, fetched: Set<MergeObject>): ClientStep[] {
  const steps: ClientStep[] = [];
  for (const amendment of merging.amendments) {
    if (amendment.type !== 'record' || !isContent(amendment.body)) continue;
    const { head, body } = amendment;
    const object = merging.merged.objects.get(head.object, false);
    const met =
      merging.serverChanges.of(object) !== undefined ||
      fetched.has(object) ||
      merging.told.has(object);
    if (!met || !merging.merged.isAlive(object)) continue;
    const path = merging.merged.pathOf(object);
    if (body.op === Opcode.CLOSE) steps.push({ type: 'touch', path, time: body.mtime });
    else steps.push({ type: 'record', head, body: { ...body, path } });
  }
  return steps;
}

function times({ merging, touches, rootTime }: ClientSide, usedRoot: boolean): ClientStep[] {
  const steps: ClientStep[] = [];
  if (usedRoot) steps.push({ type: 'touch', path: '', time: rootTime });
  for (const [directory, time] of touches) {
    if (!merging.merged.isAlive(directory)) continue;
    steps.push({ type: 'touch', path: merging.merged.pathOf(directory), time });
  }
  return steps;
}
