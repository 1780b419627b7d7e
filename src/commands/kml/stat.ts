import { Args } from '@oclif/core';
import { IzoCommand } from '../../core/cli/base-command.js';
import { idfile } from '../../core/cli/flags.js';
import { hostNames } from '../../core/cli/host-names.js';
import { withKml } from '../../core/cli/open-kml.js';
import { statJson, type StatJson } from '../../core/cli/render/kml-stat.js';
import { table } from '../../core/cli/render/table.js';
import { kmlStat } from '../../core/journal/index.js';
import { configDirectory, runDirectory } from '../../core/system/directories.js';

export default class KmlStatCommand extends IzoCommand {
  static override summary = 'what the modification log consists of';
  static override description =
    'Counts its records and their bytes by operation and by the host where they were made, and tells the time that they ' +
    'span. FILESET is a fileset, mount point or cache, mounted or not, or a kml file.';
  static override examples = [
    '<%= config.bin %> kml stat',
    '<%= config.bin %> kml stat shared --json',
  ];
  static override enableJsonFlag = true;
  static override args = {
    fileset: Args.string({ description: 'default: the only one that is mounted' }),
  };
  static override flags = { idfile };

  override async run(): Promise<StatJson> {
    const { args, flags } = await this.parse(KmlStatCommand);
    const configDir = configDirectory(flags.configdir);
    const hosts = await hostNames(configDir, flags.idfile, args.fileset, runDirectory());
    return withKml(args.fileset, runDirectory(), (log) => {
      const stat = statJson(kmlStat(log.reader), hosts(log));
      const { first, last, records, bytes, missing, earliest, latest } = stat;
      const gaps = missing === 0 ? '' : `, ${missing} numbers without a record`;
      this.log(`${records} records, ${first} to ${last}${gaps}, ${bytes} bytes`);
      if (earliest !== null) this.log(`made from ${earliest} to ${latest ?? earliest}`);
      const rows = [...stat.operations, ...stat.hosts];
      if (rows.length > 0) this.log(table(rows, COLUMNS));
      return stat;
    });
  }
}

const COLUMNS = [
  { title: 'WHAT', value: ({ name }: Row) => name },
  { title: 'RECORDS', value: ({ records }: Row) => records, align: 'right' as const },
  { title: 'BYTES', value: ({ bytes }: Row) => bytes, align: 'right' as const },
];

type Row = StatJson['operations'][number];
