import { Args, Flags } from '@oclif/core';
import { ConflictsCommand, filesetFlag } from '../../core/cli/conflicts-command.js';
import { renderAction } from '../../core/cli/render/conflicts.js';
import { undoResolution, type Done } from '../../core/conflicts/resolve.js';

export default class ConflictsUndo extends ConflictsCommand {
  static override summary = 'take back a resolution: both versions are there again';
  static override description = 'Refused where the file has been changed since.';
  static override examples = ['<%= config.bin %> conflicts undo 20261122-235901-4711-1'];
  static override enableJsonFlag = true;
  static override args = {
    id: Args.string({ required: true, description: 'as `izo conflicts list --all` has it' }),
  };
  static override flags = {
    fileset: filesetFlag,
    'dry-run': Flags.boolean({ char: 'n', summary: 'only tell what would be done' }),
  };

  override async run(): Promise<Done> {
    const { args, flags } = await this.parse(ConflictsUndo);
    const { mounted, conflicts } = this.store(flags.fileset);
    const conflict = this.pick(conflicts, args.id);
    const dryRun = flags['dry-run'];
    const done = await undoResolution(conflict, mounted.mountPoint, !dryRun);
    this.log(`${done.id}: ${dryRun ? 'would be unresolved again' : 'unresolved again'}`);
    for (const action of done.actions) this.log(`  ${renderAction(action)}`);
    return done;
  }
}
