import { errorText } from './error-text.js';
import type { LentoLog } from './log.js';
import { Waiters } from './waiters.js';

export interface MachineOptions<State, Event, Effect> {
  readonly fileset: string;
  readonly state: State;
  /** The rules: pure. */
  readonly step: (state: State, event: Event) => readonly [State, readonly Effect[]];
  /** Carries out one effect; what comes of it later is dispatched as an event. */
  readonly run: (effect: Effect) => void;
  readonly log: LentoLog;
}

/**
 * Runs the rules of a fileset: an event leads to a state and to effects. What an effect dispatches at once has its turn
 * when all effects of the step before are carried out.
 */
export class Machine<State, Event extends object, Effect extends object> {
  #state: State;
  readonly #events: Event[] = [];
  readonly #waiters = new Waiters();
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #hears: string;
  readonly #does: string;

  constructor(private readonly options: MachineOptions<State, Event, Effect>) {
    this.#state = options.state;
    this.#hears = `${options.fileset} hears`;
    this.#does = `${options.fileset} does`;
  }

  get state(): State {
    return this.#state;
  }

  dispatch(event: Event): void {
    const { step, run, log, fileset } = this.options;
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      log.debug(next, this.#hears);
      const [state, effects] = step(this.#state, next);
      log.trace({ fileset, event: next, effects }, 'step');
      this.#state = state;
      for (const effect of effects) {
        log.debug(effect, this.#does);
        run(effect);
      }
    }
    this.#running = false;
    this.#waiters.check();
  }

  /** Dispatches `event` at `time`, in milliseconds of performance.now(), instead of what was to come later. */
  wakeAt(time: number, event: Event): void {
    clearTimeout(this.#timer);
    const delay = Math.max(1, Math.ceil(time - performance.now()));
    this.#timer = setTimeout(() => this.dispatch(event), delay);
  }

  /** For what an effect sets going: its failure is the failure of a connection or of presto, which brings its own event. */
  background(work: Promise<unknown>, what: string): void {
    work.catch((error: unknown) => {
      const { log, fileset } = this.options;
      log.debug({ fileset, error: errorText(error) }, `${what} failed`);
    });
  }

  /** Resolves when the condition, which is about the state, holds. */
  until(condition: () => boolean): Promise<void> {
    return this.#waiters.until(condition);
  }

  /** Nobody needs to wait any more. */
  close(reason: string): void {
    clearTimeout(this.#timer);
    this.#waiters.fail(new Error(reason));
  }
}
