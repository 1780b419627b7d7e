import type { FilesetLogs } from '../journal/index.js';
import type { ObjectId, Stamp } from '../model/ids.js';
import type { Actor, RecordBody, Time } from '../model/records.js';
import type { Caller } from '../fuse/port.js';
import { now } from '../system/files.js';
import type { CacheWatch } from './mounting/cache-watch.js';

const NO_GROUPS: readonly number[] = [];

/** An update being made: the number it has in the log, its version stamp and its time. */
export interface Update {
  readonly stamp: Stamp;
  readonly time: Time;
}

/**
 * Makes updates of local programs: the record is written first, then the lower tree is changed, in one turn of the event
 * loop; where the change fails the record is taken off again. So the log and the tree never differ by more than the
 * update in progress, and mount-time recovery has one record to look at.
 */
export class LocalUpdates {
  constructor(
    private readonly logs: FilesetLogs,
    /** The log has grown. Called for every update: must be cheap. */
    private readonly announce: () => void,
    private readonly cache: CacheWatch,
  ) {}

  /** The number and stamp that the next update will have. */
  next(): Update {
    return {
      stamp: { replica: this.logs.replica, recno: this.logs.kml.next },
      time: now(),
    };
  }

  /**
   * Journals `body`, then calls `apply`. @returns what `apply` returned, or the negated errno for which the record could
   * not be written.
   */
  perform(
    caller: Caller,
    update: Update,
    object: ObjectId,
    before: Stamp,
    body: RecordBody,
    apply: () => number,
  ): number {
    const { kml } = this.logs;
    const actor: Actor = { uid: caller.uid, gid: caller.gid, pid: caller.pid, groups: NO_GROUPS };
    const written = kml.append(
      {
        origin: update.stamp.replica,
        originRecno: update.stamp.recno,
        time: update.time,
        actor,
        object,
        before,
      },
      body,
    );
    if (written < 0) return this.cache.note(written);
    const result = apply();
    if (result < 0) kml.takeBack();
    else this.announce();
    return result;
  }
}
