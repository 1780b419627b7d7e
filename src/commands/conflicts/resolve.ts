import { Args, Flags } from '@oclif/core';
import { ConflictsCommand, filesetFlag } from '../../core/cli/conflicts-command.js';
import { renderAction } from '../../core/cli/render/conflicts.js';
import type { Keep } from '../../core/conflicts/resolution.js';
import { resolveConflict, type Done } from '../../core/conflicts/resolve.js';
import { isUnresolved, type StoredConflict } from '../../core/conflicts/store.js';
import { IzoError } from '../../core/model/errors.js';
import { EXIT } from '../../core/model/exit-codes.js';

interface Resolved {
  dryRun: boolean;
  resolved: Done[];
  failed: { id: string; message: string }[];
}

export default class ConflictsResolve extends ConflictsCommand {
  static override summary = 'let the version of one side stand alone, or say that both stay';
  static override description =
    'An update like any other, which all hosts get. The version that leaves the tree stays in the conflict store, and ' +
    '`izo conflicts undo` brings it back. With several, each is tried; exit code 6 where one was refused.';
  static override examples = [
    {
      description: 'What would be done',
      command: '<%= config.bin %> conflicts resolve --all --keep server --dry-run',
    },
    {
      description: 'Take the version of the host that was cut off',
      command: '<%= config.bin %> conflicts resolve 20261122-235901-4711-1 --keep client',
    },
    {
      description: 'Both are wanted, or were brought together by hand',
      command: '<%= config.bin %> conflicts resolve --all --keep both',
    },
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = { id: Args.string({ description: 'as `izo conflicts list` has it' }) };
  static override flags = {
    fileset: filesetFlag,
    keep: Flags.option({ options: ['server', 'client', 'both'] as const, required: true })({
      summary: 'whose version stands',
    }),
    all: Flags.boolean({ char: 'a', summary: 'all that are not resolved' }),
    'dry-run': Flags.boolean({ char: 'n', summary: 'only tell what would be done' }),
  };

  override async run(): Promise<Resolved> {
    const { argv, flags } = await this.parse(ConflictsResolve);
    const { mounted, conflicts } = this.store(flags.fileset);
    const wanted = this.#wanted(conflicts, argv as string[], flags.all);
    const result: Resolved = { dryRun: flags['dry-run'], resolved: [], failed: [] };
    for (const conflict of wanted) {
      await this.#resolve(conflict, mounted.mountPoint, flags.keep, result);
    }
    if (wanted.length === 0) this.log('no conflicts');
    const [first] = result.failed;
    if (first !== undefined) process.exitCode = EXIT.refused;
    return result;
  }

  #wanted(conflicts: readonly StoredConflict[], ids: readonly string[], all: boolean) {
    if (all && ids.length === 0) return conflicts.filter(isUnresolved);
    if (!all && ids.length > 0) return ids.map((id) => this.pick(conflicts, id));
    throw new IzoError('usage', all ? 'name conflicts, or --all' : 'which conflicts?', {
      exit: EXIT.usage,
      remedy: 'izo conflicts list',
    });
  }

  async #resolve(
    conflict: StoredConflict,
    mountPoint: string,
    keep: Keep,
    result: Resolved,
  ): Promise<void> {
    try {
      const done = await resolveConflict(conflict, mountPoint, keep, !result.dryRun);
      result.resolved.push(done);
      this.log(`${done.id}: ${result.dryRun ? 'would be resolved' : 'resolved'}`);
      for (const action of done.actions) this.log(`  ${renderAction(action)}`);
    } catch (error) {
      if (!(error instanceof IzoError)) throw error;
      const { message, remedy } = error;
      result.failed.push({ id: conflict.id, message });
      this.logToStderr(`${conflict.id}: ${message}. Try: ${remedy ?? 'izo conflicts show'}`);
    }
  }
}
