import { setTimeout as sleep } from 'node:timers/promises';
import { Args, Flags } from '@oclif/core';
import { ActivityMonitor } from '../core/cli/terminal/activity.js';
import { IzoCommand } from '../core/cli/base-command.js';
import { showLive } from '../core/cli/terminal/live.js';
import { renderActivity } from '../core/cli/render/activity.js';
import { Names } from '../core/cli/render/history.js';
import { selectAllMounted } from '../core/cli/select-mounted.js';
import { isAlive, listMounted } from '../core/presto/mounting/mounted-state.js';
import { runDirectory } from '../core/system/directories.js';

export default class Top extends IzoCommand {
  static override summary = 'what is going on in the mounted filesets: operations, times, programs';
  static override description = `
Like top(1): of each fileset, how many operations of programs presto serves a second, how long half of them and 95 of 100 took at the most (in ms, to within a fifth, waiting for the permit included), how many fail, bytes read and written; who holds the permit, and how many records some other host lacks. Then the contents of files that are on their way to other hosts or from them: what of them is there, and how fast they come. Then the most frequent operations, and the programs that ask for most. Ends with Ctrl-C.

What the kernel does by itself is not counted: it reads files that are opened for reading, and remembers names, attributes and pages that it was told.

On a terminal it is shown in place. Into anything else, and with --count, one after the other; with --json as one object a line.
`.trim();
  static override examples = [
    '<%= config.bin %> top',
    {
      description: 'Once, over ten seconds',
      command: '<%= config.bin %> top /izo0 --interval 10 --count 1',
    },
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    fileset: Args.string({
      description: 'fileset, mount point or cache, or several; default: all',
    }),
  };
  static override flags = {
    interval: Flags.integer({
      helpValue: 'SECONDS',
      summary: 'between two looks',
      default: 1,
      min: 1,
      max: 86_400,
    }),
    count: Flags.integer({ char: 'n', helpValue: 'N', summary: 'end after N looks', min: 1 }),
  };

  /** Never returns: what is shown is no result. */
  override async run(): Promise<never> {
    const { argv, flags } = await this.parse(Top);
    this.requireRoot('see what programs do');
    const { interval: seconds, count } = flags;
    const wanted = selectAllMounted(argv as string[]).map(({ mountPoint }) => mountPoint);
    const runDir = runDirectory();
    const mounted = () =>
      listMounted(runDir).filter(
        ({ mountPoint, pid }) => isAlive(pid) && (argv.length === 0 || wanted.includes(mountPoint)),
      );
    const monitor = new ActivityMonitor(runDir, mounted, new Names(new Map()));
    await monitor.begin();
    const json = this.jsonEnabled();
    await sleep(seconds * 1000);
    await showLive({
      out: process.stdout,
      seconds,
      count,
      plain: json || count !== undefined,
      lines: async () => {
        const filesets = await monitor.look();
        if (!json) return renderActivity(filesets);
        return [JSON.stringify({ time: new Date().toISOString(), filesets })];
      },
    });
    monitor.end();
    return this.exit(0);
  }
}
