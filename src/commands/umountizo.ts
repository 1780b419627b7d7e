import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { Progress, PROGRESS_LINE_MS } from '../core/cli/terminal/progress.js';
import { drainMount } from '../core/lento/service/drain.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import type { MountedState } from '../core/presto/mounting/mounted-state.js';
import { setReadOnly } from '../core/presto/mounting/remount.js';
import { unmountAll } from '../core/presto/mounting/unmount.js';
import { runDirectory } from '../core/system/directories.js';
import { findMountAt } from '../core/system/mounts.js';

export default class Umountizo extends IzoCommand {
  static override summary = 'unmount filesets: those named, or all';
  static override description =
    'Returns when the logs are flushed and the cache is free, however long that takes, as long as presto gets on with it. ' +
    'Also removes what a killed presto has left behind.\n\n' +
    'With --force, programs that use it are cut off (ENOTCONN), and a presto that hangs is killed. What it had answered is ' +
    'there after the next mount, except for what was written to memory maps and not synchronized.\n\n' +
    'With --drain, programs may change nothing any more, and all other hosts get what was done, before it is unmounted. ' +
    'Where that is not possible in time, it says who lacks what, all goes on as before, and the exit code is 7.';
  static override examples = [
    { description: 'All of them', command: '<%= config.bin %> umountizo' },
    { description: 'One', command: '<%= config.bin %> umountizo /izo0' },
    {
      description: 'Before this host is taken away',
      command: '<%= config.bin %> umountizo --all --drain --timeout 300',
    },
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = { directory: Args.string({ description: 'mount point or cache' }) };
  static override flags = {
    all: Flags.boolean({ summary: 'all of them, which is also what happens where none is named' }),
    lazy: Flags.boolean({
      char: 'l',
      summary: 'also while programs use it: it goes when the last one lets go',
    }),
    force: Flags.boolean({
      char: 'f',
      summary: 'also where programs use it or presto hangs: they are cut off, and it is killed',
      exclusive: ['lazy'],
    }),
    drain: Flags.boolean({
      summary: 'only when all other hosts have what was done here',
      exclusive: ['lazy', 'force'],
    }),
    timeout: Flags.integer({
      summary: 'seconds that --drain waits for each fileset',
      default: 60,
      min: 1,
    }),
  };

  override async run(): Promise<{ unmounted: string[] }> {
    const { argv, flags } = await this.parse(Umountizo);
    this.requireRoot('unmount');
    const runDir = runDirectory();
    const wanted = (argv as string[]).map((path) => resolve(path));
    if (flags.all && wanted.length > 0) {
      throw new IzoError('usage', '--all and a directory contradict each other', {
        exit: EXIT.usage,
        remedy: 'Leave one of them out.',
      });
    }
    const drain = (state: MountedState) => drained(runDir, state, flags.timeout * 1000);
    const before = flags.drain ? drain : undefined;
    const unmounted: string[] = [];
    const progress = new Progress({ json: this.jsonEnabled(), lineMs: PROGRESS_LINE_MS });
    const onWaiting = (words: string) => progress.update(words);
    const how = flags.force ? 'force' : flags.lazy ? 'lazy' : 'plain';
    try {
      for await (const mountPoint of unmountAll(runDir, wanted, { how, before, onWaiting })) {
        unmounted.push(mountPoint);
        progress.clear();
        this.log(`${mountPoint} is unmounted`);
      }
    } finally {
      progress.clear();
    }
    if (unmounted.length === 0) this.log('nothing is mounted');
    return { unmounted };
  }
}

/** Nobody may change it from now on, so that what all have is all there is; undone where not all get it. */
async function drained(runDir: string, state: MountedState, timeoutMs: number): Promise<void> {
  const { mountPoint } = state;
  const isReadOnly = findMountAt(mountPoint)?.options.includes('ro') === true;
  if (!isReadOnly) setReadOnly(state, true);
  try {
    await drainMount(runDir, mountPoint, timeoutMs);
  } catch (error) {
    if (!isReadOnly) setReadOnly(state, false);
    throw error;
  }
}
