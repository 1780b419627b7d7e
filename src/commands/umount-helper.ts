import { resolve } from 'node:path';
import { IzoCommand } from '../core/cli/base-command.js';
import { Progress, PROGRESS_LINE_MS } from '../core/cli/terminal/progress.js';
import { helperFailure } from '../core/cli/helper-failure.js';
import { unmountAll } from '../core/presto/mounting/unmount.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import { runDirectory } from '../core/system/directories.js';

export default class UmountHelper extends IzoCommand {
  static override hidden = true;
  static override strict = false;
  static override summary = 'what umount(8) calls as /sbin/umount.fuse.InterMezzo';

  override async run(): Promise<void> {
    this.requireRoot('unmount');
    const [mountPoint] = this.argv.filter((word) => !word.startsWith('-'));
    if (mountPoint === undefined) {
      const remedy = 'umount.fuse.InterMezzo DIRECTORY [-flnrv]';
      throw new IzoError('usage', 'a directory is needed', { exit: EXIT.usage, remedy });
    }
    const has = (flag: string) =>
      this.argv.some((word) => new RegExp(`^-[a-z]*${flag}`).test(word));
    const how = has('f') ? 'force' : has('l') ? 'lazy' : 'plain';
    const progress = new Progress({ lineMs: PROGRESS_LINE_MS });
    const unmounted = unmountAll(runDirectory(), [resolve(mountPoint)], {
      how,
      onWaiting: (words) => progress.update(words),
    });
    try {
      for await (const at of unmounted) this.debug(`${at} is unmounted`);
    } catch (error) {
      throw helperFailure(error);
    } finally {
      progress.clear();
    }
  }
}
