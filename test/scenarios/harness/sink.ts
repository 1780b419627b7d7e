import { assert } from '../../../src/core/model/assert.js';
import type { Recno } from '../../../src/core/model/ids.js';
import { faultOfBatch, faultOfOrigin } from '../../../src/core/replication/batches.js';
import type { Applied, Batch, Item } from './presto.js';
import type { Psdev } from './psdev.js';
import type { End } from './wire.js';

interface Turn {
  readonly batch: Batch;
  readonly done: (applied: Applied) => void;
  fetches: number;
}

/** RecordSink in memory: contents are fetched ahead, batches applied one after the other, none after one that failed. */
export class Sink {
  readonly #turns: Turn[] = [];
  readonly #idle: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];
  #coming = 0;
  #busy = false;
  #failed = false;

  constructor(
    private readonly psdev: Psdev,
    private readonly peer: string,
    private readonly end: End,
    private readonly session: number,
    /** Where the next batch has to begin. */
    private expected: Recno,
    private readonly log: boolean,
  ) {}

  receive(batch: Batch, done: (applied: Applied) => void): void {
    this.#check(batch);
    const big = batch.items.filter(({ rec }) => rec.big);
    const turn = { batch, done, fetches: big.length };
    this.#turns.push(turn);
    for (const item of big) {
      this.#fetch(item, () => {
        turn.fetches--;
        this.#next();
      });
    }
    this.#next();
  }

  /** As RecordSink does; nobody here sends on purpose what cannot be. */
  #check(batch: Batch): void {
    const heads = batch.items.map(({ recno, rec }) => ({ ...rec, recno }));
    const fault =
      faultOfBatch(batch, heads, this.expected) ??
      (this.log ? faultOfOrigin(this.peer, heads) : undefined);
    assert(fault === undefined, `from ${this.peer}, record ${batch.from}: ${fault ?? ''}`);
    this.expected = batch.next;
  }

  #fetch(item: Item, done: () => void): void {
    this.end.request(this.session, { kind: 'fetch', recno: item.recno }, (reply) => {
      if (reply.kind === 'ok') item.data = reply.data;
      done();
    });
  }

  /** The peer's log has no records before this one any more that we do not have. */
  resumeAt(recno: Recno): void {
    this.expected = recno;
  }

  /** The batch waits for a merge; its contents come meanwhile. */
  collect(batch: Batch): void {
    this.#check(batch);
    for (const item of batch.items.filter(({ rec }) => rec.big)) {
      this.#coming++;
      this.#fetch(item, () => {
        this.#coming--;
        this.#collected();
      });
    }
  }

  /** When all contents of what was collected are here. */
  whenCollected(work: () => void): void {
    this.#waiting.push(work);
    this.#collected();
  }

  #collected(): void {
    if (this.#coming > 0) return;
    for (const work of this.#waiting.splice(0)) work();
  }

  /** The connection is gone: what waits for contents waits in vain. */
  lose(): void {
    for (const turn of this.#turns) if (turn.fetches > 0) turn.fetches = Infinity;
    this.#next();
  }

  /** Nothing that has not begun will be applied. */
  abandon(): void {
    this.#failed = true;
    this.#next();
  }

  whenIdle(work: () => void): void {
    this.#idle.push(work);
    this.#next();
  }

  #next(): void {
    if (this.#busy) return;
    const [turn] = this.#turns;
    if (turn === undefined) {
      for (const work of this.#idle.splice(0)) work();
      return;
    }
    if (turn.fetches === Infinity) this.#failed = true;
    else if (turn.fetches > 0 && !this.#failed) return;
    this.#turns.shift();
    if (this.#failed) {
      // Nobody is answered: either the connection is gone, or the answer to the batch that failed ends the session.
      this.#next();
      return;
    }
    this.#busy = true;
    this.psdev.request(
      { kind: 'apply', peer: this.peer, batch: turn.batch, log: this.log },
      (applied) => {
        this.#busy = false;
        if (applied.failure !== undefined) this.#failed = true;
        turn.done(applied);
        this.#next();
      },
    );
  }
}
