import { Flags } from '@oclif/core';
import { ConflictsCommand, filesetFlag } from '../../core/cli/conflicts-command.js';
import {
  conflictJson,
  renderConflicts,
  type ConflictJson,
} from '../../core/cli/render/conflicts.js';
import { isUnresolved } from '../../core/conflicts/store.js';
import { EXIT } from '../../core/model/exit-codes.js';

export default class ConflictsList extends ConflictsCommand {
  static override summary = 'list what collided when this host was merged with its server';
  static override description =
    'Both versions are there: one stands, the other is a file beside it or in the conflict store of the cache. They are ' +
    'listed at the replicator that was cut off. Exit code 3 where some are not resolved.';
  static override aliases = ['conflicts'];
  static override examples = [
    { description: 'What is to be looked at', command: '<%= config.bin %> conflicts list' },
    {
      description: 'All there ever were',
      command: '<%= config.bin %> conflicts list --all --json',
    },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    fileset: filesetFlag,
    all: Flags.boolean({ char: 'a', summary: 'also those that are resolved, or need no decision' }),
  };

  override async run(): Promise<{ conflicts: ConflictJson[] }> {
    const { flags } = await this.parse(ConflictsList);
    const { conflicts } = this.store(flags.fileset);
    const unresolved = conflicts.filter(isUnresolved);
    const shown = (flags.all ? conflicts : unresolved).map(conflictJson);
    if (shown.length > 0) this.log(renderConflicts(shown));
    else this.log('no conflicts');
    if (unresolved.length > 0) process.exitCode = EXIT.findings;
    return { conflicts: shown };
  }
}
