import { resolve } from 'node:path';
import { IzoCommand } from '../core/cli/base-command.js';
import { helperFailure } from '../core/cli/helper-failure.js';
import { unmountAll } from '../core/presto/unmount.js';
import { runDirectory } from '../core/system/directories.js';

export default class UmountHelper extends IzoCommand {
  static override hidden = true;
  static override strict = false;
  static override summary = 'what umount(8) calls as /sbin/umount.fuse.InterMezzo';

  override async run(): Promise<void> {
    this.requireRoot('unmount');
    const [mountPoint = ''] = this.argv.filter((word) => !word.startsWith('-'));
    const lazy = this.argv.some((word) => /^-[a-z]*l/.test(word));
    const unmounted = unmountAll(runDirectory(), [resolve(mountPoint)], lazy);
    try {
      for await (const at of unmounted) this.debug(`${at} is unmounted`);
    } catch (error) {
      throw helperFailure(error);
    }
  }
}
