import type { Configuration } from '../../config/index.js';
import { IzoError } from '../../model/errors.js';
import { formatPlace } from '../../model/errors.js';
import type { ServiceManager } from '../../system/notify.js';
import { errorText } from '../error-text.js';
import type { Lento } from '../lento.js';
import type { LentoLog } from '../log.js';

/** What is not sent by then stays in the journal, and is sent when lento runs again. */
const DRAIN_MS = 10_000;
const STATUS_MS = 2_000;

export interface ServiceOptions {
  readonly lento: Lento;
  readonly manager: ServiceManager;
  readonly log: LentoLog;
  /** Reads the configuration again. @throws IzoError */
  readonly readAgain: () => Configuration;
}

/**
 * lento as a service: says to the service manager how it is, reads its configuration again at SIGHUP, and ends at SIGTERM
 * or SIGINT when all is sent that can be; at a second one at once.
 */
export class LentoService {
  #status = '';

  constructor(private readonly options: ServiceOptions) {}

  /** Starts lento. Whoever waits for `READY=1` finds all filesets served that are mounted. @throws IzoError */
  async start(): Promise<void> {
    const { lento, manager } = this.options;
    await lento.start();
    this.#status = lento.summary;
    manager.tell('READY=1', `STATUS=${this.#status}`);
    if (manager.isThere) setInterval(() => this.#tellStatus(), STATUS_MS).unref();
    // From the loop that does the work: if that hangs, the manager hears nothing.
    if (manager.watchdogMs !== undefined) {
      setInterval(() => manager.tell('WATCHDOG=1'), manager.watchdogMs / 2).unref();
    }
    process.on('SIGHUP', () => this.reload());
  }

  #tellStatus(): void {
    const { summary } = this.options.lento;
    if (summary === this.#status) return;
    this.#status = summary;
    this.options.manager.tell(`STATUS=${summary}`);
  }

  /** Goes on with what the files say now; where they cannot be used, with what they said before. */
  reload(): void {
    const { lento, manager, log, readAgain } = this.options;
    manager.reloading();
    try {
      const next = readAgain();
      for (const warning of next.warnings) log.warn({}, warning.message);
      const changes = lento.reconfigure(next);
      for (const { what, applied } of changes) {
        if (applied) log.info({}, `configuration: ${what}`);
        else log.warn({}, `configuration: ${what}: needs a restart of lento`);
      }
      if (changes.length === 0) log.info({}, 'configuration: nothing has changed for this host');
    } catch (error) {
      const where =
        error instanceof IzoError && error.place !== undefined
          ? `${formatPlace(error.place)}: `
          : '';
      log.error({}, `the configuration stays as it was: ${where}${errorText(error)}`);
    }
    this.#status = lento.summary;
    manager.tell('READY=1', `STATUS=${this.#status}`);
  }

  /** Resolves when lento has ended because it was told to. */
  async untilStopped(): Promise<void> {
    const { lento, manager, log } = this.options;
    const signal = await nextSignal();
    manager.tell('STOPPING=1', 'STATUS=sending what is not sent yet');
    log.info({ signal }, 'ending');
    const missing = await Promise.race([lento.drain(DRAIN_MS), nextSignal()]);
    if (typeof missing === 'string') log.warn({ signal: missing }, 'ending at once');
    else for (const what of missing) log.warn({}, `${what}; it is sent when lento runs again`);
    lento.stop();
    log.info({}, 'stopped');
  }
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => resolve(signal));
    }
  });
}
