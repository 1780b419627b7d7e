import type { ObjectId, ReplicaId } from '../../model/ids.js';
import {
  Opcode,
  type JournalRecord,
  type RecordBody,
  type RecordHead,
  type Time,
} from '../../model/records.js';
import type { Changes } from './changes.js';
import { conflictName } from './conflict-name.js';
import type { MergeObject, Place } from './merge-object.js';
import type { Amendment, Conflict, Question, SameContents, Touches } from './outcome.js';
import type { Placed } from './placed.js';
import { verdictOn, type Collision, type ConflictPolicy, type Verdict } from './rules.js';
import type { TreeNames } from './tree-names.js';

/** Who merges, and under which rules. */
export interface MergeTerms {
  readonly policy: ConflictPolicy;
  /** Names that conflict names bear. */
  readonly clientHost: string;
  readonly serverHost: string;
  /** The client's log. */
  readonly replica: ReplicaId;
  /** The first number of that log that nobody has seen. */
  readonly firstFree: number;
  readonly sameContents: SameContents;
}

/** A merge while it is being made: what both sides have in the end, and what has been decided on the way. */
export class Merging {
  readonly amendments: Amendment[] = [];
  readonly conflicts: Conflict[] = [];
  readonly questions: Question[] = [];
  /** Client's object -> server's object that it turned out to be. */
  readonly aliases = new Map<MergeObject, MergeObject>();
  /** The server's objects that one of the client's turned out to be. */
  readonly carried = new Set<MergeObject>();
  /** The client's objects that leave the tree for the conflict store. */
  readonly stored = new Set<MergeObject>();
  /** The server's objects whose version at the server goes to the conflict store. */
  readonly storedOfServer = new Set<MergeObject>();
  /** Files that keep the client's contents although the server wrote them too. */
  readonly clientContents = new Set<MergeObject>();
  /** Files whose contents at the client lose, and stay as a copy beside: with the copy's conflict. */
  readonly copies = new Map<MergeObject, Conflict>();
  /** Objects of the server's that the client made again. */
  readonly restored = new Set<MergeObject>();
  /** Directories whose time the client tells. */
  readonly told = new Set<MergeObject>();
  readonly #displaced = new Map<MergeObject, { from: Place; to: Place }[]>();
  #nextFree: number;

  constructor(
    readonly terms: MergeTerms,
    /** The client's tree as it was before the record that is being looked at. */
    readonly client: TreeNames,
    /** What both will have. Begins as what the server has. */
    readonly merged: TreeNames,
    readonly clientChanges: Changes,
    readonly serverChanges: Changes,
    /** When names in a directory changed last, or its time was set. */
    readonly touches: Touches,
  ) {
    this.#nextFree = terms.firstFree;
  }

  get nextFree(): number {
    return this.#nextFree;
  }

  /** A number of the client's log for an update that the merge makes. */
  reserve(): number {
    return this.#nextFree++;
  }

  newObject(): ObjectId {
    return { replica: this.terms.replica, number: this.reserve() };
  }

  /** What the client made is what the server made. */
  alias(ours: MergeObject, theirs: MergeObject): void {
    this.aliases.set(ours, theirs);
    this.carried.add(theirs);
  }

  canonical(object: MergeObject): MergeObject {
    return this.aliases.get(object) ?? object;
  }

  canonicalPlace({ directory, name }: Place): Place {
    return { directory: this.canonical(directory), name };
  }

  /** Where an object that the client had at `place` stands in the merged tree. */
  locate(object: MergeObject, place: Place): Place | undefined {
    const at = this.canonicalPlace(place);
    if (this.merged.at(at) === object && this.merged.isAlive(at.directory)) return at;
    const moved = this.#displaced.get(object)?.findLast((d) => isSame(d.from, place));
    return moved !== undefined && this.merged.at(moved.to) === object ? moved.to : undefined;
  }

  /** The object's name at the client, `from`, is another one in the merged tree. */
  displace(object: MergeObject, from: Place, to: Place): void {
    const known = this.#displaced.get(object) ?? [];
    known.push({ from, to });
    this.#displaced.set(object, known);
  }

  verdict(collision: Collision): Verdict {
    return verdictOn(collision, this.terms.policy);
  }

  note(
    collision: Collision,
    object: MergeObject,
    client: JournalRecord,
    server?: JournalRecord,
  ): Conflict {
    const verdict = this.verdict(collision);
    const places = { stands: undefined, beside: undefined };
    const conflict = { collision, verdict, object, client, server, lost: object, ...places };
    // Of what the client has removed since then, there is nothing to tell.
    if (object.disk !== undefined || collision === 'removal-update') this.conflicts.push(conflict);
    return conflict;
  }

  /** The record goes to the server, with the paths that its names have there. */
  emit(placed: Placed, object: MergeObject, body: RecordBody): void {
    const head = { ...placed.record.head, object: object.id };
    this.amendments.push({ type: 'record', head, body });
  }

  /** An update that no user made, at the time of one. */
  emitOwn(head: RecordHead, object: MergeObject, body: RecordBody): void {
    const originRecno = this.reserve();
    const own = { ...head, origin: this.terms.replica, originRecno, object: object.id };
    this.amendments.push({ type: 'record', head: own, body });
  }

  touch(directory: MergeObject, { record }: Placed): void {
    this.touches.set(directory, record.head.time);
  }

  /** A free name beside `place` for a version of `host`. */
  freePlace({ directory, name }: Place, host: string, time: Time): Place {
    const base = conflictName(name, host, time);
    for (let n = 1; ; n++) {
      const place = { directory, name: n === 1 ? base : `${base}-${n}` };
      if (this.merged.at(place) === undefined && this.merged.onDisk(place) === undefined)
        return place;
    }
  }

  /** Takes a name away from an object of the merged tree. */
  unlink(placed: Placed, object: MergeObject, place: Place): void {
    const path = this.merged.path(place);
    this.merged.take(place, object);
    this.touch(place.directory, placed);
    this.emitOwn(placed.record.head, object, {
      op: object.isDirectory ? Opcode.RMDIR : Opcode.UNLINK,
      path,
    });
  }
}

export function isSame(a: Place, b: Place): boolean {
  return a.directory === b.directory && a.name === b.name;
}
