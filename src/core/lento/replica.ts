import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { epochsOf, KmlReader, LogSync } from '../journal/index.js';
import type { Recno, ReplicaId } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { META_DIRECTORY } from '../model/names.js';
import { isWithin, NO_EPOCH, type Epoch } from '../model/position.js';
import { Opcode } from '../model/records.js';
import {
  judgeClaim,
  type Begin,
  type Claim,
  type Misfit,
  type Surroundings,
} from '../replication/lost-tail.js';
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

/** What is here of a peer's log. */
export interface Expected extends Claim {
  readonly checksum: number;
  /** Something is here of the log of somebody else. */
  readonly others: boolean;
}

/** A fileset mounted on this host, as lento deals with it: its presto on the psdev, its log and contents to read. */
export class Replica {
  readonly fileset: string;
  readonly id: ReplicaId;
  readonly reader: KmlReader;
  readonly #epochs: readonly Epoch[];
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
      this.#epochs = epochsOf(this.lowerFd, hello.fileset, hello.replica);
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

  /** The epoch that our log is in. */
  get epoch(): number {
    return this.#epochs.at(-1)?.id ?? NO_EPOCH;
  }

  /** Where our log begins for a peer that has this of it. @throws IzoError where the log cannot be read */
  beginFor(claim: Claim): Begin | Misfit {
    return judgeClaim(claim, this.#around(claim), this.#end, this.#epochs);
  }

  /** undefined: it was trimmed. Of a stretch that the peer has in part all must be there, to be shortened again. */
  #around({ expected, stretch }: Claim): Surroundings | undefined {
    const isMiddle = isWithin(stretch, expected);
    const isWhole = !isMiddle || this.reader.around(stretch.from, this.#end) !== undefined;
    const around = isWhole ? this.reader.around(expected, this.#end) : undefined;
    if (around === undefined) return undefined;
    const { before, next = this.next } = around;
    return { before: before.recno, checksum: before.checksum, next };
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
    return {
      expected: number(head, 'expected'),
      checksum: number(head, 'checksum'),
      stretch: readStretch(head),
      epoch: number(head, 'epoch'),
      others: head['others'] === true,
    };
  }

  /** What is here of the peer's log is its history in that epoch; NO_EPOCH: it is not, as far as is known. */
  async agreed(peer: ReplicaId, epoch: number): Promise<void> {
    await this.channel.request('agreed', { peer, epoch });
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
