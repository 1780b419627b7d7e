import { Args } from '@oclif/core';
import { ConflictsCommand, filesetFlag } from '../../core/cli/conflicts-command.js';
import { conflictJson, renderConflict } from '../../core/cli/render/conflicts.js';

export default class ConflictsShow extends ConflictsCommand {
  static override summary = 'show a conflict: both updates, who made them, where both versions are';
  static override examples = ['<%= config.bin %> conflicts show 20261122-235901-4711-1'];
  static override enableJsonFlag = true;
  static override args = {
    id: Args.string({ required: true, description: 'as `izo conflicts list` has it' }),
  };
  static override flags = { fileset: filesetFlag };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(ConflictsShow);
    const { conflicts } = this.store(flags.fileset);
    const conflict = this.pick(conflicts, args.id);
    for (const line of renderConflict(conflict)) this.log(line);
    return { ...conflict.evidence, ...conflictJson(conflict), resolved: conflict.resolved ?? null };
  }
}
