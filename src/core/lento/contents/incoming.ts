import { readdir, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Recno, ReplicaId } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { Opcode, type CloseBody, type JournalRecord, type Range } from '../../model/records.js';
import type { WireItem } from '../../psdev/items.js';
import { encodePatch } from '../../psdev/patch.js';
import { sameStamp, type ObjectId } from '../../model/ids.js';
import { Versions, type Changes } from '../../replication/versions.js';
import { ESTALE } from '../../system/errno.js';
import { writeAll } from '../../system/write-all.js';
import type { Fetch } from '../../wire/connection.js';
import { FetchFailed, ProtocolError } from '../../wire/errors.js';
import { ContentKind, type BatchItem } from '../../wire/messages.js';
import { FetchStuck, type Flow } from '../status/flow.js';
import { versionAt } from './lower-contents.js';
import type { Replica } from '../replica.js';
import { Semaphore } from '../semaphore.js';
import { stageContents } from './stage-contents.js';

const EMPTY = Buffer.alloc(0);

/** What is asked for of a record's contents. */
export interface WantedContents {
  readonly recno: Recno;
  readonly from: number;
  readonly ranges: readonly Range[];
}

/**
 * The contents that a peer's records bring along, or that are fetched for them: several at once, those of one file in turn.
 * Of a large file that is here in the version that was changed, only what was changed is fetched.
 */
export class IncomingContents {
  readonly #fetches = new Semaphore(LIMITS.fetchesInFlight);
  readonly #versions = new Versions();
  /** By object: what is on its way for it last. */
  readonly #coming = new Map<string, Promise<unknown>>();
  /** What earlier sessions have left in the stage of the peer's contents. */
  #leftovers: readonly string[] = [];
  readonly #stageRead: Promise<void>;

  /** @param expected the peer's records before this one have come */
  constructor(
    private readonly replica: Replica,
    private readonly peer: ReplicaId,
    expected: Recno,
    private readonly fetch: (wanted: WantedContents) => Fetch,
    private readonly flow: Flow,
  ) {
    this.#stageRead = this.#readStage();
    // Until somebody waits for that, a failure must not count as unhandled.
    this.passed(expected).catch(() => undefined);
  }

  /** Resolves when nothing is being fetched any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#coming.values());
  }

  /** @param whole also where a part would do */
  async of(item: BatchItem, record: JournalRecord, whole: boolean): Promise<WireItem> {
    const { body, head } = record;
    if (body.op !== Opcode.CLOSE) {
      if (item.content === ContentKind.none) return nothing(item);
      throw new ProtocolError('contents for a record without any');
    }
    const key = keyOf(head.object);
    const before = this.#coming.get(key);
    if (item.content !== ContentKind.fetch && before === undefined) {
      return this.#settled(item, record, body);
    }
    const coming = this.#inTurn(before, item, record, body, whole);
    this.#coming.set(key, coming);
    try {
      return await coming;
    } finally {
      if (this.#coming.get(key) === coming) this.#coming.delete(key);
    }
  }

  async #inTurn(
    before: Promise<unknown> | undefined,
    item: BatchItem,
    record: JournalRecord,
    body: CloseBody,
    whole: boolean,
  ): Promise<WireItem> {
    // However that ended, it is known by now which version there will be.
    await before?.catch(() => undefined);
    if (item.content !== ContentKind.fetch) return this.#settled(item, record, body);
    const fetched = await this.#fetches.run(() => this.#fetch(item, record, body, whole));
    if (fetched.content === 'none') await this.#supersede(record, body);
    else this.#versions.arrived(record);
    return fetched;
  }

  #settled(item: BatchItem, record: JournalRecord, body: CloseBody): WireItem {
    if (item.content === ContentKind.none) {
      this.#versions.superseded(record, body);
      return nothing(item);
    }
    if (item.data.length !== body.size) throw new ProtocolError('contents of another size');
    this.#versions.arrived(record);
    return { record: item.record, content: 'inline', data: item.data };
  }

  async #supersede(record: JournalRecord, body: CloseBody): Promise<void> {
    this.#versions.superseded(record, body);
    await this.#removeStaged(record.head.recno, '');
  }

  async #fetch(
    item: BatchItem,
    record: JournalRecord,
    body: CloseBody,
    whole: boolean,
  ): Promise<WireItem> {
    const { recno } = record.head;
    const changes = whole ? undefined : this.#changes(record, body);
    const ranges = changes?.ranges ?? [];
    const name = this.#stageName(recno, changes);
    // What came for it once, to be done otherwise.
    await this.#removeStaged(recno, name);
    const path = this.replica.stagePath(name);
    const parts = changes === undefined ? [{ offset: 0, length: body.size }] : ranges;
    try {
      const fetch = (from: number): Fetch => this.fetch({ recno, from, ranges });
      const file = await this.flow.during('from', { path: body.path, ranges: parts }, (transfer) =>
        stageContents({
          ...{ path, size: body.size, ranges: parts, fetch },
          onProgress: (position, bytes) => transfer.reached(position, bytes),
        }),
      );
      try {
        if (changes !== undefined) {
          const patch = encodePatch({ record: item.record, base: changes.base, ranges });
          await writeAll(file, patch, body.size);
          await file.datasync();
        }
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof FetchFailed && error.reply === ESTALE) return nothing(item);
      throw FetchStuck.from(body.path, error);
    }
    const content = changes === undefined ? 'staged' : 'patch';
    return { record: item.record, content, data: Buffer.from(name, 'latin1') };
  }

  #changes(record: JournalRecord, body: CloseBody): Changes | undefined {
    const changes = this.#versions.changes(record, body);
    if (changes === undefined || body.size > LIMITS.patchedBytes) return undefined;
    if (changes.promised) return changes;
    const here = versionAt(this.replica.lowerFd, body.path, record.head.object);
    return here !== undefined && sameStamp(here, changes.base) ? changes : undefined;
  }

  /** The peer's records before this one have come, or will not: contents that earlier sessions left for them go. */
  async passed(next: Recno): Promise<void> {
    await this.#remove((name) => this.#recnoOf(name) < next);
  }

  /** Removes what an earlier session has left for the record, but for the file of that name. */
  async #removeStaged(recno: Recno, name: string): Promise<void> {
    await this.#remove((each) => this.#recnoOf(each) === recno && each !== name);
  }

  async #remove(isUseless: (name: string) => boolean): Promise<void> {
    await this.#stageRead;
    if (this.#leftovers.length === 0) return;
    const useless = this.#leftovers.filter(isUseless);
    this.#leftovers = this.#leftovers.filter((name) => !useless.includes(name));
    for (const name of useless) await rm(this.replica.stagePath(name), { force: true });
  }

  async #readStage(): Promise<void> {
    const names = await readdir(this.replica.stagePath(''));
    this.#leftovers = names.filter((name) => !Number.isNaN(this.#recnoOf(name)));
  }

  /** The same for the same bytes of the same version only: what a lost connection has left is taken up again. */
  #stageName(recno: Recno, changes: Changes | undefined): string {
    const name = `${this.peer.toString(16)}-${recno}`;
    if (changes === undefined) return name;
    const { base, ranges } = changes;
    const parts = crc32(JSON.stringify([base.replica, base.recno, ranges]));
    return `${name}-${parts.toString(16)}`;
  }

  /** The record of the peer that staged contents are for; NaN: none. */
  #recnoOf(name: string): Recno {
    const [peer, recno] = name.split('-');
    return peer === this.peer.toString(16) && recno !== undefined ? Number(recno) : NaN;
  }
}

function nothing({ record }: BatchItem): WireItem {
  return { record, content: 'none', data: EMPTY };
}

function keyOf({ replica, number }: ObjectId): string {
  return `${replica}:${number}`;
}
