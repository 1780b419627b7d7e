import { Flags } from '@oclif/core';
import { listConflicts, type StoredConflict } from '../conflicts/store.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import type { MountedState } from '../presto/mounting/mounted-state.js';
import { IzoCommand } from './base-command.js';
import { selectMounted } from './select-mounted.js';

export const filesetFlag = Flags.string({
  char: 'f',
  helpValue: 'FILESET',
  summary: 'its name, mount point or cache; default: the only one mounted',
});

/** What the commands about conflicts share. */
export abstract class ConflictsCommand extends IzoCommand {
  protected store(fileset: string | undefined): {
    mounted: MountedState;
    conflicts: StoredConflict[];
  } {
    this.requireRoot('look into a cache');
    const mounted = selectMounted(fileset);
    return { mounted, conflicts: listConflicts(mounted.lowerPath, mounted.fileset) };
  }

  /** @throws IzoError no-conflict */
  protected pick(conflicts: readonly StoredConflict[], id: string): StoredConflict {
    const found = conflicts.find((conflict) => conflict.id === id);
    if (found !== undefined) return found;
    throw new IzoError('no-conflict', `there is no conflict ${id}`, {
      exit: EXIT.usage,
      remedy: 'izo conflicts list --all',
    });
  }
}
