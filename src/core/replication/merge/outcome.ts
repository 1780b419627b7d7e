import type { Stamp } from '../../model/ids.js';
import type { JournalRecord, RecordBody, Time } from '../../model/records.js';
import type { MergeObject, Place } from './merge-object.js';
import type { Collision, Verdict } from './rules.js';

/** What the client tells the server in place of the records that were pending, in this order. */
export type Amendment =
  | { readonly type: 'record'; readonly head: JournalRecord['head']; readonly body: RecordBody }
  /** The object, which the server has removed, is made again at `path` as the client has it, without what is in it. */
  | {
      readonly type: 'restore';
      readonly head: JournalRecord['head'];
      readonly object: MergeObject;
      readonly path: string;
    }
  /** The client's contents of `of` as a new file. */
  | {
      readonly type: 'copy';
      readonly head: JournalRecord['head'];
      readonly of: MergeObject;
      readonly as: MergeObject;
      readonly path: string;
    };

/** What the client does to its own tree, in this order, to have what the server has together with the amendments. */
export type ClientStep =
  /** Names, attributes, or contents that come with the server's CLOSE; not logged. */
  | { readonly type: 'record'; readonly head: JournalRecord['head']; readonly body: RecordBody }
  /** The whole object from the server, where it stands at `serverPath`, without what is in it. */
  | {
      readonly type: 'fetch';
      readonly object: MergeObject;
      readonly serverPath: string;
      readonly path: string;
    }
  /** What is at `path` becomes the server's object, with this version of the contents and no extended attributes. */
  | {
      readonly type: 'become';
      readonly path: string;
      readonly object: MergeObject;
      readonly content: Stamp;
    }
  /** The contents at `from`, again as the new file of the amendment. */
  | {
      readonly type: 'copy';
      readonly as: MergeObject;
      readonly from: string;
      readonly path: string;
    }
  /** The version at `path` is kept in the conflict store. */
  | { readonly type: 'store'; readonly object: MergeObject; readonly path: string }
  /** The server's version is. */
  | { readonly type: 'store-of-server'; readonly object: MergeObject; readonly serverPath: string }
  /** The object's time of modification, and nothing else. */
  | { readonly type: 'touch'; readonly path: string; readonly time: Time };

/** A collision, and how it ended. */
export interface Conflict {
  readonly collision: Collision;
  readonly verdict: Verdict;
  readonly object: MergeObject;
  /** The updates, as their makers logged them; the server's is undefined where many made it what it is. */
  readonly client: JournalRecord;
  readonly server: JournalRecord | undefined;
  /** Whose version loses: `object`, or what the server has under its name. */
  lost: MergeObject;
  /** Where the version that stands is, if not where `object` is; and the one that lost, if it is in the tree. */
  stands: Place | undefined;
  beside: Place | undefined;
}

/** Two files whose contents have to be compared before the merge can be decided. */
export interface Question {
  readonly client: MergeObject;
  readonly server: MergeObject;
}

/** Facts that only a look at contents can tell: undefined where nobody has looked yet. */
export type SameContents = (client: MergeObject, server: MergeObject) => boolean | undefined;

export type Touches = Map<MergeObject, Time>;

/** The time of modification of a directory of the server's tree. */
export interface DirectoryTime {
  readonly path: string;
  readonly time: Time;
}
