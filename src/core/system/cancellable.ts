import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';

/** Within it a signal has arrived that others have got. */
const NOTICED_MS = 20;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does what must not end in the middle of it: who asks this process to end meanwhile makes `work` fail (a terminal also ends
 * the programs that it runs), which takes back what it has done, or come to its end. Who asks twice is not kept waiting.
 * @param outcome what is true when it has failed. @throws IzoError cancelled
 */
export async function cancellable<T>(
  outcome: string,
  work: (cancelled: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const cancel = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  // They stay: with none left, execa would have the signal end this process while a program runs.
  for (const signal of SIGNALS) process.on(signal, cancel);
  try {
    return await work(controller.signal);
  } catch (cause) {
    // What ends a terminal's programs may be noticed of them before it is noticed here.
    await sleep(NOTICED_MS);
    if (!controller.signal.aborted) throw cause;
    throw new IzoError('cancelled', `cancelled: ${outcome}`, { exit: EXIT.interrupted, cause });
  } finally {
    for (const signal of SIGNALS) process.off(signal, cancel);
  }
}
