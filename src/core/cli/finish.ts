import type { Problem } from '../config/index.js';
import { carryOut, isNothing, type Preparation } from '../setup/carry-out.js';
import { cancellable } from '../system/cancellable.js';

/** What a command that configures the host has done, or would do, for --json. */
export interface Configured {
  dryRun: boolean;
  /** Files of the configuration and keys. */
  written: string[];
  /** Caches and mount points. */
  made: string[];
  warnings: Omit<Problem, 'severity'>[];
  /** Secret. The token of each invited client; none in a dry run. */
  tokens: Record<string, string>;
}

/** What would be done. */
export function wouldDo(preparation: Preparation): Configured {
  const { plan, caches, directories, secrets, warnings } = preparation;
  const made = caches.filter(({ kind }) => kind !== 'keep').map(({ mount }) => mount.cache);
  return {
    dryRun: true,
    written: [...secrets.map(({ path }) => path), ...plan.files.map(({ path }) => path)],
    made: [...made, ...directories],
    warnings: warnings.map(({ code, message, place, remedy }) => ({
      code,
      message,
      place,
      remedy,
    })),
    tokens: {},
  };
}

/** Does what was prepared. Ctrl-C, up to the moment at which the files change, takes all of it back. */
export async function doIt(
  preparation: Preparation,
  onStep: (what: string) => void,
): Promise<Configured> {
  const done = await cancellable('nothing was changed', async (cancelled) =>
    isNothing(preparation)
      ? { written: [], made: [] }
      : carryOut(preparation, { onStep, isCancelled: () => cancelled.aborted }),
  );
  const tokens = Object.fromEntries(preparation.tokens);
  return { ...wouldDo(preparation), ...done, dryRun: false, tokens };
}
