import { Flags } from '@oclif/core';
import { check, countBySeverity, type Counts } from '../core/check/check.js';
import { diagnose, type Diagnostic, type Fix } from '../core/check/diagnostic.js';
import { probeHost } from '../core/check/probe/host.js';
import { surveyFiles } from '../core/check/survey.js';
import { IzoCommand } from '../core/cli/base-command.js';
import { fstab, idfile } from '../core/cli/flags.js';
import { exitOf, renderDiagnostic, renderSummary } from '../core/cli/render/check.js';
import { repair } from '../core/cli/repair.js';
import { runDirectory, stateDirectory } from '../core/system/directories.js';

interface Checked {
  diagnostics: Diagnostic[];
  counts: Counts;
  /** What --fix has changed; `diagnostics` are what is left after it. */
  fixed: Fix[];
}

export default class ConfigCheck extends IzoCommand {
  static override summary = 'find what is wrong with the configuration and this host';
  static override description =
    'Reads sysid, serverdb, fsetdb, the keys and fstab, looks at the host, and tells everything that does not fit, with ' +
    'its place and what to do. Changes nothing, but with --fix. Exit code 0 where there is nothing but notes, 3 where ' +
    'there are warnings, 1 where there are errors. --peers asks the other hosts as well; --selftest makes two hosts of ' +
    'this one and takes them through writing, cutting, merging and recovering in less than a minute.';
  static override examples = [
    '<%= config.bin %> config-check',
    {
      description: 'See what could be repaired, then do it',
      command: '<%= config.bin %> config-check --fix --dry-run',
    },
    '<%= config.bin %> config-check --fix --yes',
    '<%= config.bin %> config-check --peers',
    {
      description: 'Prove that this host can do it',
      command: '<%= config.bin %> config-check --selftest',
    },
  ];
  static override hiddenAliases = ['config_check'];
  static override enableJsonFlag = true;
  static override flags = {
    idfile,
    fstab,
    peers: Flags.boolean({
      summary: 'ask the servers of this host what they know of its filesets, and who is connected',
    }),
    selftest: Flags.boolean({
      summary: 'try all of it on this host, with caches and mounts of its own, and take them away',
    }),
    fix: Flags.boolean({
      summary:
        'repair what is safe to repair, after asking: modes, directories, files of the Perl era',
    }),
    yes: Flags.boolean({ char: 'y', summary: 'do not ask', dependsOn: ['fix'] }),
    'dry-run': Flags.boolean({
      summary: 'show what --fix would do, and do nothing',
      dependsOn: ['fix'],
    }),
  };

  override async run(): Promise<Checked> {
    const { flags } = await this.parse(ConfigCheck);
    const look = async (): Promise<Diagnostic[]> => {
      const { configdir: configDir } = flags;
      const survey = surveyFiles({ configDir, idfile: flags.idfile, fstab: flags.fstab });
      const directories = { runDir: runDirectory(), stateDir: stateDirectory() };
      const facts = await probeHost(survey, directories);
      if (!flags.peers) return check(survey, facts);
      // Start-up of every other use of the command would pay for it.
      const { probePeers } = await import('../core/check/probe/peers.js');
      return check(survey, facts, await probePeers(survey, directories.runDir));
    };
    let diagnostics = await look();
    this.#show(diagnostics);
    let fixed: Fix[] = [];
    if (flags.fix) {
      const { yes, 'dry-run': dryRun } = flags;
      const say = (line: string): void => this.log(line);
      this.log('');
      fixed = await repair(diagnostics, { yes, dryRun, say });
      if (fixed.length > 0) {
        diagnostics = await look();
        this.log('\nWhat is left:');
        this.#show(diagnostics);
      }
    }
    if (flags.selftest) {
      this.requireRoot('make hosts');
      diagnostics = [...(await this.#test()), ...diagnostics];
    }
    process.exitCode = exitOf(diagnostics);
    return { diagnostics, counts: countBySeverity(diagnostics), fixed };
  }

  async #test(): Promise<Diagnostic[]> {
    this.log('\nThe self-test:');
    const { selfTest } = await import('../core/check/selftest.js');
    const failed = await selfTest((line) => this.log(line));
    const diagnostics = failed === undefined ? [] : [diagnose(failed)];
    this.#show(diagnostics);
    return diagnostics;
  }

  #show(diagnostics: readonly Diagnostic[]): void {
    for (const each of diagnostics) {
      for (const line of renderDiagnostic(each)) this.log(line);
    }
    this.log(renderSummary(diagnostics));
  }
}
