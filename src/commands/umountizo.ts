import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { unmountAll } from '../core/presto/unmount.js';
import { runDirectory } from '../core/system/directories.js';

export default class Umountizo extends IzoCommand {
  static override summary = 'unmount filesets: those named, or all';
  static override description =
    'Returns when the logs are flushed and the cache is free. Also removes what a killed presto has left behind.';
  static override examples = [
    { description: 'All of them', command: '<%= config.bin %> umountizo' },
    { description: 'One', command: '<%= config.bin %> umountizo /izo0' },
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = { directory: Args.string({ description: 'mount point or cache' }) };
  static override flags = {
    lazy: Flags.boolean({
      char: 'l',
      summary: 'also while programs use it: it goes when the last one lets go',
    }),
  };

  override async run(): Promise<{ unmounted: string[] }> {
    const { argv, flags } = await this.parse(Umountizo);
    this.requireRoot('unmount');
    const runDir = runDirectory();
    const wanted = (argv as string[]).map((path) => resolve(path));
    const unmounted: string[] = [];
    for await (const mountPoint of unmountAll(runDir, wanted, flags.lazy)) {
      unmounted.push(mountPoint);
      this.log(`${mountPoint} is unmounted`);
    }
    if (unmounted.length === 0) this.log('nothing is mounted');
    return { unmounted };
  }
}
