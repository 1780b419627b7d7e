import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { KmlReader, LogSync } from '../journal/index.js';
import type { Recno, ReplicaId } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { META_DIRECTORY } from '../model/names.js';
import { isWithin, type Stretch } from '../model/position.js';
import { Opcode } from '../model/records.js';
import { judgePosition, type Begin, type Misfit } from '../replication/lost-tail.js';
import type { Channel } from '../psdev/channel.js';
import { encodeItems, type WireItem } from '../psdev/items.js';
import {
  number,
  readApplyReply,
  readStatus,
  readStretch,
  type ApplyReply,
  type ApplyRequest,
  type GateState,
  type Policy,
  type PrestoHello,
  type PrestoStatus,
} from '../psdev/messages.js';
import { must } from '../system/errno.js';
import { close, O_DIRECTORY, O_RDONLY, openat } from '../system/files.js';

const STATUS_MS = 3_000;

/** What is expected next of a peer's log. */
export interface Expected {
  readonly expected: Recno;
  readonly checksum: number;
  readonly stretch: Stretch;
}

/** A fileset mounted on this host, as lento deals with it: its presto on the psdev, its log and contents to read. */
export class Replica {
  readonly fileset: string;
  readonly id: ReplicaId;
  readonly reader: KmlReader;
  readonly #sync: LogSync;
  /** Descriptor of the lower tree's root. */
  readonly lowerFd: number;
  readonly #stagePath: string;
  #end: Recno;
  readonly #voids: { readonly from: Recno; readonly to: Recno }[] = [];

  /** @throws IzoError, SystemError where the lower tree is not what presto says. */
  constructor(
    readonly hello: PrestoHello,
    private readonly channel: Channel,
    private readonly policy: Policy,
    /** Contents that are fetched from peers come compressed. */
    readonly packed = false,
  ) {
    this.fileset = hello.fileset;
    this.id = hello.replica;
    this.#end = hello.recno;
    const path = Buffer.from(hello.lowerPath).toString('latin1');
    this.lowerFd = must('open', openat(-100, path, O_RDONLY | O_DIRECTORY), hello.lowerPath);
    try {
      this.#sync = LogSync.open(this.lowerFd, hello.fileset);
    } catch (error) {
      close(this.lowerFd);
      throw error;
    }
    try {
      this.reader = KmlReader.openFileset(this.lowerFd, hello.fileset);
    } catch (error) {
      this.#sync.close();
      close(this.lowerFd);
      throw error;
    }
    this.#stagePath = join(hello.lowerPath, META_DIRECTORY, hello.fileset, 'stage');
  }

  /** Last record that presto has announced. */
  get end(): Recno {
    return this.#end;
  }

  /** The number of the record that comes next: after a crash not the one after the last. */
  get next(): Recno {
    return Math.max(this.#end + 1, this.hello.next);
  }

  /**
   * Where our log begins for a peer that expects `expects` of it, perhaps in the middle of a stretch that it gets
   * shortened. @throws IzoError where the log cannot be read
   */
  beginFor(expects: Recno, checksum: number, stretch: Stretch): Begin | Misfit {
    const isMiddle = isWithin(stretch, expects);
    if (isMiddle && stretch.to > this.#end) return 'restored';
    if (isMiddle && this.reader.around(stretch.from, this.#end) === undefined) return 'trimmed';
    const around = this.reader.around(expects, this.#end);
    if (around === undefined) return 'trimmed';
    const { before, next = this.next } = around;
    // Records of a shortened history may not be as they are in the log.
    return judgePosition(expects, isMiddle ? 0 : checksum, {
      before: before.recno,
      checksum: before.checksum,
      next,
    });
  }

  /** Makes all that presto has journaled, or begun to write, so far survive a power cut. @throws Error of fsync(2) */
  async sync(): Promise<void> {
    await this.#sync.sync();
  }

  announced(end: Recno): void {
    this.#end = Math.max(this.#end, end);
  }

  /** Where contents from a peer are put until presto takes them; lento writes nowhere else. */
  stagePath(name: string): string {
    return join(this.#stagePath, name);
  }

  /** Records `from` up to, but not including, `to` are void: a merge has put others in their place. */
  voided(from: Recno, to: Recno): void {
    this.#voids.push({ from, to });
  }

  /** The first record from `recno` on that is not void. */
  notVoid(recno: Recno): Recno {
    const hit = this.#voids.find(({ from, to }) => from <= recno && recno < to);
    return hit === undefined ? recno : this.notVoid(hit.to);
  }

  /** Looks for merges in the part of the log that the peer does not have. @throws IzoError where it cannot be read */
  findVoids(from: Recno): void {
    this.#voids.splice(0);
    const limits = { records: LIMITS.batchRecords, bytes: LIMITS.batchBytes };
    for (let next = from; next <= this.end;) {
      const read = this.reader.read(next, limits, this.end);
      for (const { record } of read.records) {
        const { body, head } = record;
        if (body.op === Opcode.NOOP && body.replaces > 0) this.voided(body.replaces, head.recno);
      }
      next = read.next;
    }
  }

  /** The same file, from the root of the lower tree. */
  stageRelative(name: string): string {
    return `${META_DIRECTORY}/${this.fileset}/stage/${name}`;
  }

  /** presto carries out the plan that is in the stage under that name. @returns the end of the log then */
  async merge(plan: string): Promise<Recno> {
    const { head } = await this.channel.request('merge', { plan });
    const end = number(head, 'recno');
    this.announced(end);
    return end;
  }

  /** @returns the end of the log. */
  async setGate(state: GateState): Promise<Recno> {
    const { head } = await this.channel.request('gate', { state, policy: this.policy });
    return number(head, 'recno');
  }

  async apply(request: ApplyRequest, items: readonly WireItem[]): Promise<ApplyReply> {
    const { stretch, ...rest } = request;
    const data = encodeItems(items);
    const { head } = await this.channel.request('apply', { ...rest, ...stretch }, data);
    return readApplyReply(head);
  }

  /** The peer has our log up to and including `recno`. */
  async acknowledged(peer: ReplicaId, recno: Recno): Promise<void> {
    await this.channel.request('acknowledged', { peer, recno });
  }

  async expected(peer: ReplicaId): Promise<Expected> {
    const { head } = await this.channel.request('expected', { peer });
    const stretch = readStretch(head);
    return { expected: number(head, 'expected'), checksum: number(head, 'checksum'), stretch };
  }

  /** @param backlog Infinity: nobody is ever given up. @returns the number that the log begins with then */
  async trim(acknowledged: Recno, history: number, backlog: number): Promise<Recno> {
    const least = LIMITS.trimStepBytes;
    const bounded = Number.isFinite(backlog) ? { backlog } : {};
    for (;;) {
      const rules = { acknowledged, history, least, ...bounded };
      const { head } = await this.channel.request('trim', rules);
      if (head['more'] !== true) return number(head, 'first');
    }
  }

  /** undefined where presto does not answer in time: it hangs, or has very much to do. */
  async status(): Promise<PrestoStatus | undefined> {
    const asked = this.channel.request('status').then(({ head }) => readStatus(head));
    // Nobody hears of it when it is late.
    asked.catch(() => undefined);
    return Promise.race([asked, sleep(STATUS_MS, undefined, { ref: false })]);
  }

  /** The end of the log as presto has it now: everything that a program has closed is in it. */
  async currentEnd(): Promise<Recno> {
    const { head } = await this.channel.request('end');
    return number(head, 'recno');
  }

  close(): void {
    this.channel.close();
    this.reader.close();
    this.#sync.close();
    close(this.lowerFd);
  }
}
