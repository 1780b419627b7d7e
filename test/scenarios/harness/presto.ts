import { assert } from '../../../src/core/model/assert.js';
import type { Recno } from '../../../src/core/model/ids.js';
import { isWithin, NO_STRETCH, type Stretch } from '../../../src/core/model/position.js';
import { Opcode, type JournalRecord } from '../../../src/core/model/records.js';
import type { Shortened } from '../../../src/core/replication/shorten/backlog.js';
import { newsOf, type Contents } from './contents.js';
import type { Plant } from './host.js';
import {
  mended,
  PaperBacklog,
  withoutLastClose,
  type PaperLogged,
  type Wanted,
} from './paper-backlog.js';
import type {
  Applied,
  Batch,
  Durable,
  Gate,
  Item,
  Notice,
  Plan,
  Progress,
  Rec,
} from './updates.js';

export type { Applied, Batch, Gate, Item, Notice, Plan, Progress, Rec };
import { NOTHING, PaperEpochs } from './position.js';

/** A mounted fileset in memory: its log survives what happens to lento, as presto does. */
export class Presto {
  /** This host's own log. Numbers grow; after a power cut some are left out. */
  readonly log: Item[] = [];
  /** The updates of this host's tree, in the order in which it got them. */
  readonly history: string[] = [];
  /** All that was ever made here, also what a power cut has taken. */
  readonly made: string[] = [];
  /** What a power cut has taken; the server may have it. */
  readonly lost = new Set<string>();
  readonly #has = new Set<string>();
  gate: Gate = 'disconnected';
  /** Updates that found the gate shut. */
  parked = 0;
  /** No room for updates of others. */
  full = false;
  /** Whether a program may go through the open gate; where not, it has given up. */
  admits = (): boolean => true;
  onWrite: (rec: Rec) => void = () => undefined;
  onShorten: (made: Shortened<PaperLogged>) => void = () => undefined;
  #notify: ((notice: Notice) => void) | undefined;
  #asked = false;
  /** Every so many-th update has contents that must be fetched; 0: none. */
  bigEvery = 0;
  readonly #progress = new Map<string, Progress>();
  readonly epochs = new PaperEpochs();

  /** Files that programs have written and not closed yet: notes in the LML. */
  #open = 0;

  constructor(
    readonly host: string,
    private readonly plant?: Plant,
    readonly contents?: Contents,
  ) {
    const revert = contents?.save();
    this.#durable = { log: 0, history: [], progress: new Map(), revert };
  }

  /** The last record that was trimmed: it is still here, for the checkers. */
  trimmed: Recno = 0;

  /** Numbers up to this one are not given again. */
  #spent = 0;
  #durable: Durable;

  get end(): Recno {
    return this.log.at(-1)?.recno ?? 0;
  }

  /** The number of the record that comes next. */
  get next(): Recno {
    return Math.max(this.end, this.#spent) + 1;
  }

  /** lento has come, or is gone. */
  attach(notify: ((notice: Notice) => void) | undefined): void {
    this.#notify = notify;
    if (notify === undefined) this.setGate('disconnected');
  }

  /** A program updates something. @returns what became of it. */
  write(): 'written' | 'parked' | 'refused' {
    if (this.gate === 'absent') {
      this.parked++;
      this.#ask();
      return 'parked';
    }
    if (!this.admits()) return 'refused';
    this.#make();
    return 'written';
  }

  /** A program begins to write a file. */
  open(): void {
    if (this.gate !== 'absent' && this.admits()) this.#open++;
  }

  /** Files that are open get their records. */
  close(): void {
    for (; this.#open > 0; this.#open--) this.#make();
  }

  /** presto is killed and comes back: what was being written is completed. */
  crash(): void {
    this.parked = 0;
    if (this.plant === 'forget-leftover') {
      for (; this.#open > 0; this.#open--) this.#note(this.#next());
    }
    this.close();
    this.epochs.begin(this.next, this.end);
  }

  #make(): void {
    if (this.contents === undefined) this.#made(this.#next());
    else
      for (const record of this.contents.act(this.next)) {
        this.#made({ ...this.#next(), originRecno: record.head.originRecno, record });
      }
    this.#notify?.({ kind: 'log', recno: this.end });
  }

  #made(rec: Rec): void {
    this.log.push({ recno: this.next, rec });
    this.#note(rec);
    this.onWrite(rec);
  }

  #next(): Rec {
    const made = this.made.length + 1;
    const rec = {
      id: `${this.host.toLowerCase()}${made}`,
      origin: this.host,
      originRecno: this.next,
      big: this.bigEvery > 0 && made % this.bigEvery === 0,
    };
    this.made.push(rec.id);
    return rec;
  }

  #see({ rec, data }: { rec: Rec; data?: string | undefined }): void {
    if (rec.record !== undefined) this.contents?.apply(rec.record, data);
    this.#note(rec);
  }

  #note(rec: Rec): void {
    this.history.push(rec.id);
    this.#has.add(rec.id);
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#notify?.({ kind: 'want' });
  }

  setGate(state: Gate): Recno {
    if (state === 'absent') this.close();
    this.gate = state;
    this.#asked = false;
    const parked = this.parked;
    this.parked = 0;
    for (let i = 0; i < parked; i++) this.write();
    return this.end;
  }

  progress(peer: string): Progress {
    return this.#progress.get(peer) ?? NOTHING;
  }

  /** What is here of the peer's log is its history in that epoch. */
  agreed(peer: string, epoch: number): void {
    this.#progress.set(peer, { ...this.progress(peer), epoch });
  }

  apply(peer: string, batch: Batch, log: boolean): Applied {
    for (const item of batch.items) {
      const { recno, rec } = item;
      if (recno < this.progress(peer).expected) continue;
      if (this.gate !== 'absent') return { ...this.#applied(peer), failure: 'disconnected' };
      if (this.full) return { ...this.#applied(peer), failure: 'ENOSPC' };
      assert(!this.#has.has(rec.id), `${rec.id} is applied twice on ${this.host}`);
      if (log) this.log.push({ recno: this.next, rec });
      this.#see(item);
      this.#count(peer, recno + 1, rec.id, batch.stretch);
    }
    if (batch.next > this.progress(peer).expected) {
      this.#count(peer, batch.next, batch.checksum, batch.stretch);
    }
    return this.#applied(peer);
  }

  #count(peer: string, expected: Recno, checksum: string, stretch: Stretch): void {
    const current = isWithin(stretch, expected) ? stretch : NO_STRETCH;
    this.#progress.set(peer, { ...this.progress(peer), expected, checksum, stretch: current });
  }

  /** Makes this host's updates that the peer does not have again, after those of the peer. */
  merge(plan: Plan): Applied {
    const { peer, items, next, checksum, replaces, end } = plan;
    if (this.gate !== 'absent') return { ...this.#applied(peer), failure: 'disconnected' };
    if (this.end !== end) return { ...this.#applied(peer), failure: 'the log has grown' };
    if (this.full) return { ...this.#applied(peer), failure: 'ENOSPC' };
    const pending = this.#pending(plan);
    const ids = new Set(this.#valid(replaces).map(({ id }) => id));
    const kept = (plan.whole ?? this.history).filter((id) => !ids.has(id));
    if (plan.whole !== undefined) {
      this.#has.clear();
      for (const id of kept) this.#has.add(id);
    }
    this.history.splice(0, this.history.length, ...kept);
    for (const { rec } of items) {
      assert(!this.#has.has(rec.id), `${rec.id} is merged twice on ${this.host}`);
      this.#note(rec);
    }
    const told = this.#redo(plan, pending);
    const { next: recno } = this;
    const origin = { origin: this.host, originRecno: recno, big: false };
    if (replaces <= end || told.recs.length > 0) {
      this.log.push({ recno, rec: { ...origin, id: `${this.host}/${recno}`, replaces } });
    }
    if (this.plant === 'forget-pending') told.recs.pop();
    for (const rec of told.recs) {
      // As `placed` has it.
      const least = this.plant === 'early-numbers' ? 0 : rec.originRecno;
      this.log.push({ recno: Math.max(this.next, least), rec });
      this.#note(rec);
    }
    this.#spent = Math.max(this.#spent, told.recno);
    this.#count(peer, next, checksum, NO_STRETCH);
    // What it makes void must not come back with a power cut, when the peer has got what takes its place.
    this.flush();
    return this.#applied(peer);
  }

  /** What the server is told of what it does not have, and the last number that was given away for that. */
  #redo(
    { items, server, serverName, whole }: Plan,
    pending: readonly Rec[],
  ): { recs: Rec[]; recno: Recno } {
    if (this.contents === undefined) return { recs: [...pending], recno: 0 };
    assert(server !== undefined, 'a merge needs the tree of the server');
    const records = (recs: readonly Rec[]): JournalRecord[] =>
      recs.flatMap(({ record }) => record ?? []);
    const { told, recno } = this.contents.merge({
      pending: records(pending),
      news: whole === undefined ? newsOf(items) : undefined,
      server,
      serverName,
      firstFree: this.next,
    });
    const ids = new Map(pending.map(({ id, originRecno }) => [originRecno, id]));
    const recs = told.map((record): Rec => {
      const { originRecno } = record.head;
      const id = ids.get(originRecno) ?? `${this.host.toLowerCase()}m${originRecno}`;
      return { id, origin: this.host, originRecno, big: false, record };
    });
    return { recs, recno };
  }

  /** What the peer lacks: of a stretch that it has in part, what is left of that. */
  #pending({ replaces, backlog }: Plan): Rec[] {
    const { left, next } = backlog.rest(replaces);
    return [...left.map(mended), ...this.#valid(next)];
  }

  /** The updates that the log tells of, from record `from` on, or from its begin. */
  #valid(from: Recno): Rec[] {
    const valid: Item[] = [];
    for (const item of this.log) {
      const { replaces } = item.rec;
      if (replaces === undefined) valid.push(item);
      else valid.splice(0, valid.length, ...valid.filter(({ recno }) => recno < replaces));
    }
    return valid.filter(({ recno }) => recno >= from).map(({ rec }) => rec);
  }

  get updates(): Rec[] {
    return this.#valid(1);
  }

  /** The first record from `recno` on that no merge has made void. */
  #notVoid(recno: Recno): Recno {
    const by = this.log.find(
      ({ rec: { replaces = Infinity }, recno: last }) => replaces <= recno && recno < last,
    );
    return by === undefined ? recno : this.#notVoid(by.recno);
  }

  #applied(peer: string): Applied {
    return { expected: this.progress(peer).expected, end: this.end };
  }

  /**
   * The batch of at most `size` records from `from` on; those that are not for the peer are left out. undefined: they were
   * trimmed.
   */
  read(wanted: Wanted): Batch | undefined {
    const { from, isFor, acked, size, backlog } = wanted;
    const start = this.#notVoid(from);
    if (start <= this.trimmed) return undefined;
    this.#shorten(wanted, start);
    const within = backlog.at(start);
    if (within !== undefined) return backlog.batch(start, within, wanted, (r) => this.#dataOf(r));
    const records = this.log.filter(({ recno }) => recno >= start).slice(0, size);
    const last = records.at(-1);
    const items = records
      .filter(({ rec }) => rec.replaces === undefined && isFor(rec))
      .map(({ recno, rec }) => ({ recno, rec, data: rec.big ? undefined : this.#dataOf(rec) }));
    const next = (last?.recno ?? start - 1) + 1;
    return { items, from, next, acked, checksum: last?.rec.id ?? '', stretch: NO_STRETCH };
  }

  /** What is left out of a stretch must be durable, and is before anything of it is sent. */
  #shorten({ backlog, isFor }: Wanted, start: Recno): void {
    const made = backlog.nextFor(start, isFor);
    if (made === undefined) return;
    if (this.plant !== 'shorten-unsynced') this.flush();
    this.onShorten(made);
    const left = this.plant === 'drop-last-close' ? withoutLastClose(made.left) : made.left;
    backlog.add({ ...made, left });
  }

  /** What a peer gets of this log, from what it has in part on. */
  backlog(begun: Stretch, upto: Recno): PaperBacklog {
    const shortenable = this.contents === undefined ? 0 : upto;
    return new PaperBacklog(this.log, (recno) => this.#notVoid(recno), begun, shortenable);
  }

  /** The contents of a CLOSE; where they were superseded, what did that is durable before a peer is told so. */
  #dataOf({ record }: Rec): string | undefined {
    if (record?.body.op !== Opcode.CLOSE || this.contents === undefined) return undefined;
    const data = this.contents.dataOf(record);
    if (data === undefined) this.flush();
    return data;
  }

  /** Contents that somebody fetches. */
  fetch(wanted: Recno): string | undefined {
    const item = this.log.find(({ recno }) => recno === wanted);
    return item === undefined ? undefined : this.#dataOf(item.rec);
  }

  /** What is on the disk now survives a power cut. */
  flush(): void {
    const { log, history } = this;
    this.#durable = {
      revert: this.contents?.save(),
      log: log.length,
      history: [...history],
      progress: new Map(this.#progress),
    };
  }

  /** The power fails: what was not flushed is lost, but for which numbers were given away. lento is gone already. */
  power(): void {
    const { log, history, progress, revert } = this.#durable;
    // As many as may have been given away, and more.
    if (this.plant !== 'reuse-numbers') this.#spent = this.next + 9;
    const kept = new Set(history);
    for (const id of this.history) if (!kept.has(id)) this.lost.add(id);
    this.#revert(log, history);
    this.trimmed = Math.min(this.trimmed, this.end);
    revert?.();
    this.#progress.clear();
    for (const [peer, value] of progress) this.#progress.set(peer, value);
    this.parked = 0;
    this.#open = 0;
    this.epochs.begin(this.next, this.end);
  }

  #revert(log: number, history: readonly string[]): void {
    this.log.splice(log);
    this.history.splice(0, this.history.length, ...history);
    this.#has.clear();
    for (const id of history) this.#has.add(id);
  }

  /** The cache, of which lento must know nothing then, is as it was when its log ended with record `end`. */
  restore(end: Recno): void {
    const kept = this.log.filter(({ recno }) => recno <= end);
    const gone = new Set(this.log.slice(kept.length).map(({ rec }) => rec.id));
    this.#revert(
      kept.length,
      this.history.filter((id) => !gone.has(id)),
    );
    this.#spent = 0;
    this.epochs.restore(end);
    this.epochs.begin(this.next, this.end);
  }
}
