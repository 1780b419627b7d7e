import { Args } from '@oclif/core';
import { IzoCommand } from '../../core/cli/base-command.js';
import { withKml } from '../../core/cli/open-kml.js';
import { IzoError } from '../../core/model/errors.js';
import { EXIT } from '../../core/model/exit-codes.js';
import { formatReplicaId } from '../../core/model/ids.js';
import { runDirectory } from '../../core/system/directories.js';
import type { KmlFault, KmlReader } from '../../core/journal/index.js';

interface Check {
  log: string;
  first: number;
  last: number;
  records: number;
  faults: KmlFault[];
  /** What reading from the end has found; null: as many records as from the beginning. */
  backwards: string | null;
}

export default class KmlCheck extends IzoCommand {
  static override summary = 'read every byte of the modification log, and say what is damaged';
  static override description =
    'Reads the log from its beginning and from its end: the checksums of all records, that each continues the one before ' +
    'it, and what is in them. Says of all damage at which byte it is, and which record should be there. FILESET is a ' +
    'fileset, mount point or cache, mounted or not, or a kml file. Exit code 3 where something is damaged.';
  static override examples = [
    { description: 'The only fileset that is mounted', command: '<%= config.bin %> kml check' },
    { description: 'A cache that is not mounted', command: '<%= config.bin %> kml check /tmp/fs0' },
  ];
  static override enableJsonFlag = true;
  static override args = {
    fileset: Args.string({ description: 'default: the only one that is mounted' }),
  };

  override async run(): Promise<Check> {
    const { args } = await this.parse(KmlCheck);
    return withKml(args.fileset, runDirectory(), ({ reader, isLive }) => {
      // What presto is appending at this moment looks torn: the second time it is whole.
      const first = reader.examine();
      const { header, records, last, faults } =
        isLive && first.faults.length > 0 ? reader.examine() : first;
      const backwards = faults.length > 0 ? null : checkBackwards(reader);
      for (const { offset, recno, kind, reason } of faults) {
        const what = kind === 'torn-tail' ? 'cut short' : 'damaged';
        this.log(`byte ${offset}: record ${recno} is ${what}: ${reason}`);
      }
      if (backwards !== null) this.log(`from the end: ${backwards}`);
      const good = faults.length === 0 && backwards === null;
      const verdict = good ? 'all good' : 'see izo recovery';
      this.log(`${records} records, ${header.firstRecno} to ${last}: ${verdict}`);
      if (!good) process.exitCode = EXIT.findings;
      const log = formatReplicaId(header.log);
      return { log, first: header.firstRecno, last, records, faults: [...faults], backwards };
    });
  }
}

/** @returns what is wrong; null: nothing */
function checkBackwards(reader: KmlReader): string | null {
  let expected = 0;
  const tail = reader.tail();
  const { firstRecno } = reader.header;
  reader.scan((recno) => (expected += recno <= tail.recno ? 1 : 0));
  try {
    let found = 0;
    for (const each of reader.backwards(tail)) if (each.length > 0) found++;
    // Trimmed meanwhile: they were not looking at the same.
    if (reader.header.firstRecno !== firstRecno) return null;
    return found === expected ? null : `${found} records, from the beginning ${expected}`;
  } catch (error) {
    if (error instanceof IzoError) return error.message;
    throw error;
  }
}
