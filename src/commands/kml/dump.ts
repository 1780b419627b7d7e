import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../../core/cli/base-command.js';
import { damaged, describeRecord, recordToJson } from '../../core/journal/index.js';
import { formatReplicaId } from '../../core/model/ids.js';
import type { JournalRecord } from '../../core/model/records.js';
import { withKml } from '../../core/cli/open-kml.js';
import { runDirectory } from '../../core/system/directories.js';

/** Records read at a time: the log may be much larger than the memory. */
const BATCH = { records: 1000, bytes: 4 * 1024 * 1024 };

interface Dump {
  log: string;
  records: ReturnType<typeof recordToJson>[];
}

export default class KmlDump extends IzoCommand {
  static override summary = 'show the modification log: what was done, by whom, when';
  static override description =
    'One line for each update, in the order in which this host made them or took them over: its number, time, kind and ' +
    'names, the user who made it, the replica it comes from, and the version it was made upon. FILESET is a mounted one, ' +
    'by its name, mount point or cache; a cache that is not; or a file: the kml of a cache, or a copy of one. What is damaged is said where it ' +
    'is reached.';
  static override examples = [
    { description: 'The only fileset that is mounted', command: '<%= config.bin %> kml dump' },
    {
      description: 'What happened last',
      command: '<%= config.bin %> kml dump /izo0 --tail 20',
    },
    {
      description: 'From a record on, for programs',
      command: '<%= config.bin %> kml dump shared --from 200 --json',
    },
    {
      description: 'A log that was put aside',
      command: '<%= config.bin %> kml dump /root/kml.before',
    },
  ];
  static override enableJsonFlag = true;
  static override args = {
    fileset: Args.string({
      description: 'fileset, mount point, cache or kml file; default: the only one mounted',
    }),
  };
  static override flags = {
    from: Flags.integer({ min: 1, helpValue: 'N', summary: 'begin with record N' }),
    tail: Flags.integer({
      min: 0,
      helpValue: 'N',
      summary: 'only the last N records',
      exclusive: ['from'],
    }),
  };

  override async run(): Promise<Dump> {
    const { args, flags } = await this.parse(KmlDump);
    return withKml(args.fileset, runDirectory(), ({ reader }) => {
      const records: Dump['records'] = [];
      const show = this.jsonEnabled()
        ? (record: JournalRecord) => records.push(recordToJson(record))
        : (record: JournalRecord) => {
            this.log(describeRecord(record));
          };
      const end = reader.end();
      const upto = end.tail.recno;
      const { log, firstRecno } = reader.header;
      const last = flags.tail === undefined ? undefined : upto - flags.tail + 1;
      let next = flags.from ?? Math.max(last ?? firstRecno, firstRecno);
      while (next <= upto) {
        const read = reader.read(next, BATCH, upto);
        for (const { record } of read.records) show(record);
        next = read.next;
      }
      if (end.kind === 'damaged') throw damaged('kml', end.tail.offset, end.reason);
      return { log: formatReplicaId(log), records };
    });
  }
}
