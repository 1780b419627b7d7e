import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { debugLevels, type DebugLevelOf } from '../core/cli/debug-levels.js';
import { table } from '../core/cli/render/table.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import { runDirectory } from '../core/system/directories.js';

const MOST = 2 ** 31 - 1;

export default class Debug extends IzoCommand {
  static override summary =
    'how much lento and presto log: shows it, and changes it while they run';
  static override description = `
The level is 0 for what an operator should know, 1 for many things, 100 for all of it, as with \`lento --debuglevel\`. It is that of lento and of the presto of each mounted fileset, or of those named: a mount point, fileset or cache, or the word lento for all lentos of this host.

At 1, lento logs what it does about permits, records and connections; presto, what lento tells it and how long programs wait for the permit. At 100, lento logs each event and all that follows from it; presto, each operation of programs, as \`izo trace\` shows it, which slows them down. The log of presto is in the run-time directory, mostly memory: do not leave it at that.

The level lasts until the process ends, or until --reset, which makes it what it was at the start.
`.trim();
  static override examples = [
    { description: 'What is it?', command: '<%= config.bin %> debug' },
    { description: 'Everything that lento knows', command: '<%= config.bin %> debug lento 100' },
    { description: 'Many things, of one mount', command: '<%= config.bin %> debug /izo0 1' },
    { description: 'As it was', command: '<%= config.bin %> debug --reset' },
  ];
  static override enableJsonFlag = true;
  static override args = {
    what: Args.string({ description: 'mount point, fileset or cache, or lento; default: all' }),
    level: Args.string({ description: 'the level from now on' }),
  };
  static override flags = {
    reset: Flags.boolean({ summary: 'back to the level at the start' }),
  };

  override async run(): Promise<{ levels: DebugLevelOf[] }> {
    const { args, flags } = await this.parse(Debug);
    this.requireRoot('change what is logged');
    const { what, level } = understood(args.what, args.level);
    if (flags.reset && level !== undefined) {
      throw wrong('a level and --reset contradict each other', 'Leave one of them out.');
    }
    const request = { reset: flags.reset, ...(level !== undefined && { level }) };
    const levels = await debugLevels(runDirectory(), what, request);
    this.log(
      table(levels, [
        { title: 'PROGRAM', value: ({ program }) => program },
        { title: 'NAME', value: ({ name }) => name },
        { title: 'LEVEL', value: (each) => each.level, align: 'right' },
        { title: 'AT THE START', value: ({ configured }) => configured, align: 'right' },
        { title: 'MOUNTED AT', value: ({ mountPoint }) => mountPoint ?? '' },
      ]),
    );
    return { levels };
  }
}

/** A number alone is a level: for all. @throws IzoError bad-level */
function understood(
  first: string | undefined,
  second: string | undefined,
): { what: string | undefined; level: number | undefined } {
  const isLevel = second === undefined && first !== undefined && /^\d+$/.test(first);
  const [what, text] = isLevel ? [undefined, first] : [first, second];
  if (text === undefined) return { what, level: undefined };
  const level = Number(text);
  if (!/^\d+$/.test(text) || level > MOST) {
    throw wrong(`"${text}" is no debug level`, '0: what matters, 1: many things, 100: all of it.');
  }
  return { what, level };
}

function wrong(message: string, remedy: string): IzoError {
  return new IzoError('bad-level', message, { exit: EXIT.usage, remedy });
}
