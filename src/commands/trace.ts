import { relative, resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { followAll, type Followed } from '../core/cli/follow-operations.js';
import { pathInFileset } from '../core/cli/path-in-fileset.js';
import { Names } from '../core/cli/render/history.js';
import { renderTraced } from '../core/cli/render/trace.js';
import { selectAllMounted } from '../core/cli/select-mounted.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import type { MountedState } from '../core/presto/mounting/mounted-state.js';
import { TRACED_OPERATIONS, type TraceFilter } from '../core/psdev/trace.js';
import { runDirectory } from '../core/system/directories.js';

export default class Trace extends IzoCommand {
  static override summary = 'follow what programs do in mounted filesets, as it happens';
  static override description = `
Shows each operation that the kernel asks presto for: when it came and how long it took until it was answered, what it was and how it ended, the path, and the program and user that asked. One that has to wait for the permit of another host is shown twice: when it begins to wait, and when it is done, with how long it waited. What waits already is shown first. Ends with Ctrl-C.

What the kernel does by itself is not seen: it reads files that are opened for reading, and remembers names, attributes and pages that it was told. A write to a memory map is seen when the kernel writes the page back, without a program. The native binding does not tell who asks.

Programs never wait for this command. What it does not take in time is not shown, and how much that was is said on standard error; with --json by an object with the key dropped.
`.trim();
  static override examples = [
    { description: 'Everything', command: '<%= config.bin %> trace' },
    {
      description: 'Who changes this directory?',
      command: '<%= config.bin %> trace /izo0 --path docs --op create,write,rename,unlink',
    },
    {
      description: 'What takes longer than 50 ms within the next minute?',
      command: '<%= config.bin %> trace --slow 50 --for 60',
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
    path: Flags.string({ helpValue: 'PATH', summary: 'only what is there, or below' }),
    op: Flags.string({ helpValue: 'OP,...', summary: 'only these operations, as they are shown' }),
    pid: Flags.integer({ helpValue: 'PID', summary: 'only what this process asks for', min: 1 }),
    user: Flags.string({ helpValue: 'USER', summary: 'only what this user does: name or number' }),
    slow: Flags.integer({ helpValue: 'MS', summary: 'only what takes so long, in ms', min: 0 }),
    errors: Flags.boolean({ summary: 'only what fails' }),
    count: Flags.integer({ char: 'n', helpValue: 'N', summary: 'end after N of them', min: 1 }),
    for: Flags.integer({ helpValue: 'SECONDS', summary: 'end after so long', min: 1, max: 86_400 }),
  };

  /** Never returns: what is shown is no result. */
  override async run(): Promise<never> {
    const { argv, flags } = await this.parse(Trace);
    this.requireRoot('see what programs do');
    const names = new Names(new Map());
    const filter = filterOf(flags, names);
    const states = selectAllMounted(argv as string[]);
    const followed = follows(states, flags.path, filter);
    const json = this.jsonEnabled();
    const print = (value: object): void => {
      process.stdout.write(`${JSON.stringify(value)}\n`);
    };
    const tell = (line: string): void => {
      process.stderr.write(`${line}\n`);
    };
    await followAll(followed, {
      runDir: runDirectory(),
      names,
      out: process.stdout,
      count: flags.count ?? Infinity,
      seconds: flags.for,
      show: (traced) => {
        if (json) print(traced);
        else process.stdout.write(`${renderTraced(traced)}\n`);
      },
      began: () => tell(`following ${followed.map(({ state }) => state.mountPoint).join(', ')}`),
      dropped: ({ fileset }, count) => {
        if (json) print({ fileset, dropped: count });
        else tell(`${count} operations on ${fileset} are not shown: they came too fast`);
      },
      unmounted: ({ mountPoint }) => tell(`${mountPoint} is not mounted any more`),
    });
    return this.exit(0);
  }
}

interface Wishes {
  readonly op: string | undefined;
  readonly pid: number | undefined;
  readonly user: string | undefined;
  readonly slow: number | undefined;
  readonly errors: boolean;
}

/** @throws IzoError bad-filter */
function filterOf({ op, pid, user, slow, errors }: Wishes, names: Names): TraceFilter {
  const uid = user === undefined ? undefined : names.uidOf(user);
  if (user !== undefined && uid === undefined) throw bad(`no user is known as ${user}`);
  const operations = op?.split(',').map((word) => word.trim().toLowerCase());
  const unknown = operations?.find((word) => !TRACED_OPERATIONS.includes(word));
  if (unknown !== undefined) throw bad(`${unknown} is none of ${TRACED_OPERATIONS.join(', ')}`);
  return {
    except: process.pid,
    errors,
    ...(operations !== undefined && { operations }),
    ...(pid !== undefined && { pid }),
    ...(uid !== undefined && { uid }),
    ...(slow !== undefined && { slowMs: slow }),
  };
}

function bad(message: string): IzoError {
  return new IzoError('bad-filter', message, { exit: EXIT.usage, remedy: '`izo trace --help`.' });
}

/** A path may be written from the root of the fileset, or of this host: then it is in one fileset only. */
function follows(
  states: readonly MountedState[],
  path: string | undefined,
  filter: TraceFilter,
): Followed[] {
  if (path === undefined) return states.map((state) => ({ state, filter }));
  const within = states.flatMap((state) => {
    const below = relative(state.mountPoint, resolve('/', path));
    const isWithin = path.startsWith('/') && below !== '..' && !below.startsWith('../');
    return isWithin ? [{ state, filter: { ...filter, path: pathInFileset(below) } }] : [];
  });
  if (within.length > 0) return within;
  return states.map((state) => ({ state, filter: { ...filter, path: pathInFileset(path) } }));
}
