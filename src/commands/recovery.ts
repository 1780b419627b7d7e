import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { findCache } from '../core/cli/find-cache.js';
import { idfile } from '../core/cli/flags.js';
import { describeStep, renderRecovery } from '../core/cli/render/recovery.js';
import { configFacts, type HostRole } from '../core/cli/role-of-host.js';
import { EXIT } from '../core/model/exit-codes.js';
import { recoverCache } from '../core/recovery/index.js';
import { runDirectory, stateDirectory, syncedMarkerPath } from '../core/system/directories.js';

interface Recovered {
  fileset: string;
  device: string;
  findings: readonly string[];
  steps: string[];
  consequences: readonly string[];
  done: boolean;
  kept: string | null;
}

export default class Recovery extends IzoCommand {
  static override summary = 'repair the logs of a cache, or begin them anew';
  static override description =
    'Looks at the cache of an unmounted fileset: at every record of its logs, and whether the tree fits them. Says what is ' +
    'damaged and what will be done about it, which is the least that helps; with --do does it. Where a log is lost, it is ' +
    'begun anew and the next mount journals the tree: this is then a new replica, whose tree is merged with that of the ' +
    'server. No contents are ever removed, and what is changed is kept in the cache, in `.intermezzo/FILESET/kept`.\n\n' +
    'Exit code 3 where there is something to do that was not done.';
  static override examples = [
    { description: 'What is wrong?', command: '<%= config.bin %> recovery shared' },
    { description: 'Repair it', command: '<%= config.bin %> recovery shared --do' },
    {
      description: 'The manual recovery of the HOWTO: begin the logs anew, whatever they are like',
      command: '<%= config.bin %> recovery /tmp/fs0 --reset --do',
    },
    {
      description: 'Fetch everything from the server again',
      command: '<%= config.bin %> recovery shared --refetch --do',
    },
  ];
  static override enableJsonFlag = true;
  static override args = {
    fileset: Args.string({ required: true, description: 'fileset, mount point or cache' }),
  };
  static override flags = {
    idfile,
    do: Flags.boolean({ aliases: ['yes'], summary: 'do it; default: only say what is to be done' }),
    reset: Flags.boolean({ summary: 'begin the logs anew, also where nothing is damaged' }),
    refetch: Flags.boolean({
      summary: 'set the tree aside, and fetch everything from the server again',
      exclusive: ['reset'],
    }),
  };

  override async run(): Promise<Recovered> {
    const { args, flags } = await this.parse(Recovery);
    this.requireRoot('repair a cache');
    const runDir = runDirectory();
    const { device, fileset } = await findCache(args.fileset, runDir);
    const host = configFacts(flags.configdir, flags.idfile, fileset);
    const intent = flags.refetch ? 'refetch' : flags.reset ? 'reset' : 'repair';
    const { role } = host;
    const request = { device, fileset, runDir, intent, role, carryOut: flags.do } as const;
    const recovery = await recoverCache(request);
    const { plan, kept } = recovery;
    this.log(`fileset ${fileset} in ${device}:`);
    for (const line of renderRecovery(recovery)) this.log(line);
    if (kept !== undefined) {
      if (intent === 'reset') touchSynced(host, fileset);
      this.log(`what was there before is kept in the cache, in ${kept}`);
    } else if (plan.steps.length > 0) {
      this.log('nothing was changed; to do it, add --do');
      process.exitCode = EXIT.findings;
    }
    const { findings, consequences } = plan;
    const steps = plan.steps.map(describeStep);
    const done = kept !== undefined;
    return { fileset, device, findings, steps, consequences, done, kept: kept ?? null };
  }
}

/** "touch /var/intermezzo/SYSID/FSETNAME-synced" (HOWTO). */
function touchSynced({ sysid }: HostRole, fileset: string): void {
  if (sysid === undefined) return;
  const marker = syncedMarkerPath(stateDirectory(), sysid, fileset);
  mkdirSync(dirname(marker), { recursive: true });
  writeFileSync(marker, '');
}
