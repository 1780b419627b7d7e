import { setTimeout as sleep } from 'node:timers/promises';
import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { idfile } from '../core/cli/flags.js';
import { hostNames } from '../core/cli/host-names.js';
import { withKml, type OpenKml } from '../core/cli/open-kml.js';
import { pathInFileset, whatIsMeant } from '../core/cli/path-in-fileset.js';
import { Names, renderUpdate } from '../core/cli/render/history.js';
import { isWanted, parseMoment, type HistoryFilter } from '../core/history/filter.js';
import { PathHistory } from '../core/history/follow-path.js';
import { recordToJson } from '../core/journal/index.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import { Opcode, type JournalRecord } from '../core/model/records.js';
import { configDirectory, runDirectory } from '../core/system/directories.js';

const FOLLOW_MS = 200;
const MOMENTS = ': write 2h (ago), 3d, 2026-01-31 or "2026-01-31 12:00"';
const BATCH = { records: 1000, bytes: 4 * 1024 * 1024 };

interface Log {
  /** The first record that there is, and whether there were some before it. */
  begins: number;
  trimmed: boolean;
  updates: Record<string, unknown>[];
}

export default class LogCommand extends IzoCommand {
  static override summary = 'who changed what, and when: the history of a fileset, or of one path';
  static override description =
    'The newest update first, from the modification log of this host. With PATH: what happened to what has that name, and ' +
    'to what had it before, under all their names, and to what is below it. FILESET is a fileset, mount point or cache, ' +
    'mounted or not, or a kml file. A replicator logs only what was done on itself: the history of all hosts is that of the ' +
    'server. Users have the names that this host knows for their numbers.';
  static override examples = [
    { description: 'What happened last', command: '<%= config.bin %> log -n 20' },
    { description: 'To a file', command: '<%= config.bin %> log shared docs/plan.txt' },
    {
      description: 'Who removed or renamed something in the last two hours?',
      command: '<%= config.bin %> log shared --since 2h --op unlink,rmdir,rename',
    },
  ];
  static override enableJsonFlag = true;
  static override args = {
    fileset: Args.string({ description: 'default: the only one that is mounted' }),
    path: Args.string({
      description: 'a path from the root of the fileset, or below its mount point',
    }),
  };
  static override flags = {
    idfile,
    number: Flags.integer({ char: 'n', min: 1, helpValue: 'N', summary: 'only the last N' }),
    user: Flags.string({ helpValue: 'USER', summary: 'only what this user did: name or number' }),
    host: Flags.string({ helpValue: 'HOST', summary: 'only what was done on this host' }),
    since: Flags.string({
      helpValue: 'TIME',
      summary: '2h (ago), 3d, 2026-01-31, "2026-01-31 12:00"',
    }),
    until: Flags.string({ helpValue: 'TIME', summary: 'before that' }),
    op: Flags.string({ helpValue: 'OP,...', summary: 'only these operations, as they are shown' }),
    follow: Flags.boolean({
      summary: 'the oldest first, and go on with what happens from now on (ends with Ctrl-C)',
      exclusive: ['json'],
    }),
  };

  override async run(): Promise<Log> {
    const { args, flags } = await this.parse(LogCommand);
    if (args.fileset === undefined || !args.fileset.startsWith('/'))
      this.requireRoot('see the log');
    const configDir = configDirectory(flags.configdir);
    const meant = whatIsMeant(args, runDirectory());
    const path = pathInFileset(meant.path);
    const known = await hostNames(configDir, flags.idfile, meant.fileset, runDirectory());
    return withKml(meant.fileset, runDirectory(), (log) => {
      const names = new Names(known(log));
      const filter = toFilter(flags, names);
      const { follow, number: count = follow ? 10 : Infinity } = flags;
      if (follow && !log.isLive) {
        throw new IzoError('not-mounted', 'only the log of a mounted fileset goes on', {
          exit: EXIT.notRunning,
        });
      }
      const show = (record: JournalRecord): void => {
        this.log(renderUpdate(record, names));
      };
      const history = new PathHistory(path);
      const forward = new PathHistory(path);
      const { firstRecno: begins } = log.reader.header;
      const updates: Log['updates'] = [];
      const last: JournalRecord[] = [];
      const tail = log.reader.tail();
      let found = 0;
      for (const { record } of log.reader.backwards(tail)) {
        if (!history.back(record) || !isWanted(record, filter)) continue;
        if (follow) last.unshift(record);
        else if (this.jsonEnabled()) updates.push(toJson(record, names));
        else show(record);
        if (++found >= count) break;
      }
      const trimmed = begins > 1;
      if (trimmed && found < count) {
        this.log(`the log begins with record ${begins}: what was done before has been trimmed`);
      }
      if (found === 0 && !this.jsonEnabled()) this.logToStderr('the log has nothing of that');
      if (!follow) return { begins, trimmed, updates };
      last.forEach(show);
      return this.#follow(log, tail.recno, (record) => {
        if (forward.forward(record) && isWanted(record, filter)) show(record);
      });
    });
  }

  async #follow(
    { reader }: OpenKml,
    after: number,
    take: (record: JournalRecord) => void,
  ): Promise<never> {
    for (let next = after + 1; ;) {
      const upto = reader.tail().recno;
      while (next <= upto) {
        const read = reader.read(next, BATCH, upto);
        for (const { record } of read.records) take(record);
        next = read.next;
      }
      await sleep(FOLLOW_MS);
    }
  }
}

function toJson(record: JournalRecord, names: Names): Record<string, unknown> {
  const { actor, origin } = record.head;
  const json = recordToJson(record);
  return { ...json, user: names.user(actor.uid), host: names.host(origin) };
}

interface Wishes {
  readonly user: string | undefined;
  readonly host: string | undefined;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly op: string | undefined;
}

/** @throws IzoError bad-filter */
function toFilter({ user, host, since, until, op }: Wishes, names: Names): HistoryFilter {
  const now = new Date();
  return {
    uid: user === undefined ? undefined : known(names.uidOf(user), `no user is known as ${user}`),
    origin:
      host === undefined ? undefined : known(names.replicaOf(host), `no host is known as ${host}`),
    since:
      since === undefined
        ? undefined
        : known(parseMoment(since, now), `${since} is no time${MOMENTS}`),
    until:
      until === undefined
        ? undefined
        : known(parseMoment(until, now), `${until} is no time${MOMENTS}`),
    operations: op === undefined ? undefined : new Set(op.split(',').map(opcodeOf)),
  };
}

function opcodeOf(name: string): number {
  const codes: Readonly<Record<string, number>> = Opcode;
  return known(
    codes[name.trim().toUpperCase()],
    `${name} is none of ${Object.keys(codes).join(', ')}`,
  );
}

function known<T>(value: T | undefined, message: string): T {
  if (value !== undefined) return value;
  throw new IzoError('bad-filter', message, { exit: EXIT.usage, remedy: '`izo log --help`.' });
}
