import type { Recno } from '../../../src/core/model/ids.js';
import { NOTHING } from './position.js';
import type { Applied, Batch, Gate, Notice, Plan, Presto } from './presto.js';
import type { Progress } from './updates.js';

export type PsdevRequest =
  | { readonly kind: 'gate'; readonly state: Gate }
  | { readonly kind: 'apply'; readonly peer: string; readonly batch: Batch; readonly log: boolean }
  | { readonly kind: 'merge'; readonly plan: Plan }
  | { readonly kind: 'expected'; readonly peer: string }
  | { readonly kind: 'agreed'; readonly peer: string; readonly epoch: number };

/** Whatever presto answers; each asker reads its part. */
export type PsdevReply = Applied & Progress;

interface Asked {
  readonly request: PsdevRequest;
  readonly settle: (reply: PsdevReply) => void;
}

/** Between lento and presto of one host: a queue each way, which a slow host leaves standing. */
export class Psdev {
  readonly #toPresto: Asked[] = [];
  readonly #toLento: (() => void)[] = [];
  #open = true;

  constructor(
    private readonly presto: Presto,
    onNotice: (notice: Notice) => void,
    private readonly onGate: (state: Gate) => void,
    private readonly later: (work: () => void) => void,
  ) {
    presto.attach((notice) => this.#toLento.push(() => onNotice(notice)));
  }

  get waiting(): { presto: number; lento: number } {
    return { presto: this.#toPresto.length, lento: this.#toLento.length };
  }

  request(request: PsdevRequest, settle: (reply: PsdevReply) => void): void {
    if (this.#open) this.#toPresto.push({ request, settle });
  }

  /** presto serves the next request. */
  stepPresto(): boolean {
    const asked = this.#toPresto.shift();
    if (asked === undefined) return false;
    const reply = this.#serve(asked.request);
    this.#toLento.push(() => this.later(() => asked.settle(reply)));
    return true;
  }

  /** lento reads the next answer or notice. */
  stepLento(): boolean {
    const read = this.#toLento.shift();
    read?.();
    return read !== undefined;
  }

  #serve(request: PsdevRequest): PsdevReply {
    const { presto } = this;
    switch (request.kind) {
      case 'gate': {
        this.onGate(request.state);
        const end: Recno = presto.setGate(request.state);
        return { ...NOTHING, end };
      }
      case 'apply':
        return { ...NOTHING, ...presto.apply(request.peer, request.batch, request.log) };
      case 'merge':
        return { ...NOTHING, ...presto.merge(request.plan) };
      case 'expected':
        return { ...presto.progress(request.peer), end: presto.end };
      case 'agreed':
        presto.agreed(request.peer, request.epoch);
        return { ...NOTHING, end: presto.end };
    }
  }

  /** lento is gone. */
  close(): void {
    this.#open = false;
    this.#toPresto.length = 0;
    this.#toLento.length = 0;
    this.presto.attach(undefined);
  }
}
