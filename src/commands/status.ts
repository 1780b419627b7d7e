import { IzoCommand } from '../core/cli/base-command.js';
import { idfile } from '../core/cli/flags.js';
import { needsHuman, renderStatus } from '../core/cli/render-status.js';
import { loadConfiguration } from '../core/config/index.js';
import { askStatus } from '../core/lento/control-client.js';
import type { LentoStatus } from '../core/lento/status.js';
import { EXIT } from '../core/model/exit-codes.js';
import { configDirectory, runDirectory } from '../core/system/directories.js';

export default class Status extends IzoCommand {
  static override summary = 'filesets, peers, positions, permits and what does not flow';
  static override description =
    'Exit code 3 where something needs a human, 4 where lento is not running.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json'];
  static override enableJsonFlag = true;
  static override flags = { idfile };

  override async run(): Promise<LentoStatus> {
    const { flags } = await this.parse(Status);
    const { sysid } = loadConfiguration({
      configDir: configDirectory(flags.configdir),
      idfile: flags.idfile,
    });
    const status = await askStatus(runDirectory(), sysid.name);
    for (const line of renderStatus(status)) this.log(line);
    if (needsHuman(status)) process.exitCode = EXIT.findings;
    return status;
  }
}
