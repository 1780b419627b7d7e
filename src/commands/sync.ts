import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { idfile } from '../core/cli/flags.js';
import { loadConfiguration, mustFindFileset, roleOf } from '../core/config/index.js';
import { askSync } from '../core/lento/service/control-client.js';
import type { SyncResult } from '../core/lento/status/fileset-status.js';
import { EXIT } from '../core/model/exit-codes.js';
import { configDirectory, runDirectory } from '../core/system/directories.js';

export default class Sync extends IzoCommand {
  static override summary = 'wait until every replicator has what was done here so far';
  static override description =
    'Nobody waits for a replicator that is not connected: it gets everything when it is there again, and the exit code is 3, ' +
    'but with --connected 0. Fails at once, with the reason, where the server is not connected; with exit code 7 at the ' +
    'time-out.';
  static override examples = [
    { description: 'All filesets of this host', command: '<%= config.bin %> sync' },
    {
      description: 'One, for at most a minute',
      command: '<%= config.bin %> sync shared --timeout 60',
    },
    {
      description: 'Whoever is away gets it later',
      command: '<%= config.bin %> sync --connected',
    },
  ];
  static override enableJsonFlag = true;
  static override args = { fileset: Args.string({ description: 'default: all of this host' }) };
  static override flags = {
    idfile,
    connected: Flags.boolean({ summary: 'exit code 0 also where replicators are not connected' }),
    timeout: Flags.integer({ summary: 'seconds to wait', default: 300, min: 1 }),
    wait: Flags.boolean({ summary: 'accepted for scripts: sync always waits', hidden: true }),
  };

  override async run(): Promise<{ filesets: SyncResult[] }> {
    const { args, flags } = await this.parse(Sync);
    const config = loadConfiguration({
      configDir: configDirectory(flags.configdir),
      idfile: flags.idfile,
    });
    const names =
      args.fileset === undefined
        ? [...config.filesets.keys()].filter((name) => roleOf(config, name) !== 'none')
        : [mustFindFileset(config, args.fileset).name];
    const filesets: SyncResult[] = [];
    for (const name of names) {
      const request = { sysid: config.sysid.name, fileset: name, timeoutMs: flags.timeout * 1000 };
      const result = await askSync(runDirectory(), request);
      filesets.push(result);
      this.log(`${name}: ${inWords(result)}`);
    }
    const isInStep = filesets.every(({ absent }) => absent.length === 0);
    if (!isInStep && !flags.connected) process.exitCode = EXIT.findings;
    return { filesets };
  }
}

function inWords({ complete, absent, recno }: SyncResult): string {
  if (complete.length + absent.length === 0) return `no replicators; record ${recno} is here`;
  const verb = complete.length === 1 ? 'has' : 'have';
  const who = complete.length === 0 ? 'nobody else has' : `${complete.join(', ')} ${verb}`;
  return `${who} record ${recno}${absent.length === 0 ? '' : `; not connected: ${absent.join(', ')}`}`;
}
