import type { Command } from '@oclif/core';
import { helperFailure } from '../core/cli/helper-failure.js';
import { parseHelperArguments } from '../core/cli/mount-helper-arguments.js';
import { IzoCommand } from '../core/cli/base-command.js';
import { Progress, PROGRESS_LINE_MS } from '../core/cli/terminal/progress.js';
import { parseMountOptions } from '../core/config/index.js';
import { limitsOf } from '../core/presto/mounting/bindings.js';
import { mountOrRemount } from '../core/presto/mounting/remount.js';
import { runDirectory } from '../core/system/directories.js';

export default class MountHelper extends IzoCommand {
  static override hidden = true;
  static override strict = false;
  static override summary = 'what mount(8) calls as /sbin/mount.InterMezzo';
  static override baseFlags = {} as typeof Command.baseFlags & (typeof IzoCommand)['baseFlags'];

  override async run(): Promise<void> {
    this.requireRoot('mount');
    const { device, mountPoint, options, fake } = parseHelperArguments(this.argv);
    const parsed = parseMountOptions(options);
    if (fake) return;
    try {
      const progress = new Progress({ lineMs: PROGRESS_LINE_MS });
      const mounted = await mountOrRemount(device, mountPoint, parsed, runDirectory(), (words) =>
        progress.update(words),
      ).finally(() => progress.clear());
      if (mounted.done !== 'mounted') return;
      for (const limit of limitsOf(mounted.binding)) this.logToStderr(`native binding: ${limit}`);
    } catch (error) {
      throw helperFailure(error);
    }
  }
}
