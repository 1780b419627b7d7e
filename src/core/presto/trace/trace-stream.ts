import type { Channel } from '../../psdev/channel.js';
import { isWantedEvent, type TraceEvent, type TraceFilter } from '../../psdev/trace.js';
import type { TraceSink } from './tracer.js';

/** Events are sent together: so soon, and so many. */
const FLUSH_MS = 20;
const BATCH = 512;
/** Events that wait to be sent, and bytes that the other end has not taken: what comes on top of that is dropped. */
const MOST_WAITING = 8192;
const MOST_BYTES = 1024 * 1024;

/** The part of a channel that is needed. */
export type TraceChannel = Pick<Channel, 'notify' | 'backlog'>;

/**
 * Sends events to a command. Whatever that does, programs never wait for it: what it does not take in time is dropped, and
 * how many were is told with what is sent next.
 */
export class TraceStream implements TraceSink {
  #waiting: TraceEvent[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly channel: TraceChannel,
    private readonly filter: TraceFilter,
  ) {}

  take(event: TraceEvent): void {
    if (!isWantedEvent(event, this.filter)) return;
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(event);
    else this.#dropped++;
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  #flush(): void {
    this.#timer = undefined;
    while (this.#waiting.length > 0 && this.channel.backlog < MOST_BYTES) {
      const events = this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.slice(BATCH);
      this.channel.notify('traced', { events, dropped: this.#dropped });
      this.#dropped = 0;
    }
    // Where all was taken and some were dropped, that is told with the next event: there is none before it.
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
