import { Flags } from '@oclif/core';
import { check, countBySeverity, type Counts } from '../core/check/check.js';
import type { Diagnostic, Fix } from '../core/check/diagnostic.js';
import { probeHost } from '../core/check/probe/host.js';
import { surveyFiles } from '../core/check/survey.js';
import { IzoCommand } from '../core/cli/base-command.js';
import { fstab, idfile } from '../core/cli/flags.js';
import { exitOf, renderDiagnostic, renderSummary } from '../core/cli/render-check.js';
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
    'there are warnings, 1 where there are errors.';
  static override examples = [
    '<%= config.bin %> config-check',
    {
      description: 'See what could be repaired, then do it',
      command: '<%= config.bin %> config-check --fix --dry-run',
    },
    '<%= config.bin %> config-check --fix --yes',
  ];
  static override hiddenAliases = ['config_check'];
  static override enableJsonFlag = true;
  static override flags = {
    idfile,
    fstab,
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
      return check(survey, await probeHost(survey, directories));
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
    process.exitCode = exitOf(diagnostics);
    return { diagnostics, counts: countBySeverity(diagnostics), fixed };
  }

  #show(diagnostics: readonly Diagnostic[]): void {
    for (const each of diagnostics) {
      for (const line of renderDiagnostic(each)) this.log(line);
    }
    this.log(renderSummary(diagnostics));
  }
}
