import { assert } from '../../../src/core/model/assert.js';
import type { Recno } from '../../../src/core/model/ids.js';

/** A record of some host's log: which update it is, and where it stands in the log of the host that made it. */
export interface Rec {
  readonly id: string;
  readonly origin: string;
  readonly originRecno: Recno;
  /** Its contents do not come along: they are fetched. */
  readonly big: boolean;
}

export interface Item {
  readonly recno: Recno;
  readonly rec: Rec;
}

export interface Batch {
  readonly items: readonly Item[];
  readonly from: Recno;
  readonly next: Recno;
  readonly acked: Recno;
  /** Stands for the checksum of the last record: which update it is. */
  readonly checksum: string;
}

export interface Applied {
  readonly expected: Recno;
  readonly end: Recno;
  readonly failure?: string;
}

export interface Progress {
  readonly expected: Recno;
  readonly checksum: string;
}

export type Gate = 'disconnected' | 'absent' | 'held';

/** What presto tells without being asked. */
export type Notice = { readonly kind: 'want' } | { readonly kind: 'log'; readonly recno: Recno };

/** A mounted fileset in memory: its log survives what happens to lento, as presto does. */
export class Presto {
  /** This host's own log. */
  readonly log: Rec[] = [];
  /** The updates of this host's tree, in the order in which it got them. */
  readonly history: string[] = [];
  readonly #has = new Set<string>();
  gate: Gate = 'disconnected';
  /** Updates that found the gate shut. */
  parked = 0;
  /** No room for updates of others. */
  full = false;
  /** Whether a program may go through the open gate; where not, it has given up. */
  admits = (): boolean => true;
  onWrite: (rec: Rec) => void = () => undefined;
  #notify: ((notice: Notice) => void) | undefined;
  #asked = false;
  #made = 0;
  /** Every so many-th update has contents that must be fetched; 0: none. */
  bigEvery = 0;
  readonly #progress = new Map<string, Progress>();

  constructor(readonly host: string) {}

  get end(): Recno {
    return this.log.length;
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
    const made = ++this.#made;
    const rec = {
      id: `${this.host.toLowerCase()}${made}`,
      origin: this.host,
      originRecno: this.end + 1,
      big: this.bigEvery > 0 && made % this.bigEvery === 0,
    };
    this.#add(rec);
    this.onWrite(rec);
    this.#notify?.({ kind: 'log', recno: this.end });
    return 'written';
  }

  #add(rec: Rec): void {
    this.log.push(rec);
    this.#see(rec);
  }

  #see(rec: Rec): void {
    this.history.push(rec.id);
    this.#has.add(rec.id);
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#notify?.({ kind: 'want' });
  }

  setGate(state: Gate): Recno {
    this.gate = state;
    this.#asked = false;
    const parked = this.parked;
    this.parked = 0;
    for (let i = 0; i < parked; i++) this.write();
    return this.end;
  }

  progress(peer: string): Progress {
    return this.#progress.get(peer) ?? { expected: 1, checksum: '' };
  }

  apply(peer: string, batch: Batch, log: boolean): Applied {
    for (const { recno, rec } of batch.items) {
      if (recno < this.progress(peer).expected) continue;
      if (this.gate !== 'absent') return { ...this.#applied(peer), failure: 'disconnected' };
      if (this.full) return { ...this.#applied(peer), failure: 'ENOSPC' };
      assert(!this.#has.has(rec.id), `${rec.id} is applied twice on ${this.host}`);
      if (log) this.#add(rec);
      else this.#see(rec);
      this.#progress.set(peer, { expected: recno + 1, checksum: rec.id });
    }
    if (batch.next > this.progress(peer).expected) {
      this.#progress.set(peer, { expected: batch.next, checksum: batch.checksum });
    }
    return this.#applied(peer);
  }

  #applied(peer: string): Applied {
    return { expected: this.progress(peer).expected, end: this.end };
  }

  /** The batch of at most `size` records from `from` on, for a peer that has its own. */
  read(from: Recno, peer: string, acked: Recno, size: number): Batch {
    const records = this.log.slice(from - 1, from - 1 + size);
    const items = records
      .map((rec, i) => ({ recno: from + i, rec }))
      .filter(({ rec }) => rec.origin !== peer);
    const next = from + records.length;
    return { items, from, next, acked, checksum: this.checksum(next - 1) };
  }

  checksum(recno: Recno): string {
    return this.log[recno - 1]?.id ?? '';
  }

  /** The cache, of which lento must know nothing then, is as it was when its log had `end` records. */
  restore(end: Recno): void {
    const gone = new Set(this.log.splice(end).map((rec) => rec.id));
    for (const id of gone) this.#has.delete(id);
    const kept = this.history.filter((id) => !gone.has(id));
    this.history.splice(0, this.history.length, ...kept);
  }
}
