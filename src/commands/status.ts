import { Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { idfile } from '../core/cli/flags.js';
import { showLive } from '../core/cli/terminal/live.js';
import { needsHuman, renderStatus } from '../core/cli/render/status.js';
import { loadConfiguration } from '../core/config/index.js';
import { askStatus } from '../core/lento/service/control-client.js';
import type { LentoStatus } from '../core/lento/status/lento-status.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import { configDirectory, runDirectory } from '../core/system/directories.js';

export default class Status extends IzoCommand {
  static override summary = 'filesets, peers, positions, permits and what does not flow';
  static override description = `
Exit code 3 where something needs a human, 4 where lento is not running.

With --watch it is shown again every second, or every --interval seconds, until Ctrl-C; with --json as one object a line.
`.trim();
  static override examples = [
    '<%= config.bin %> status',
    '<%= config.bin %> status --json',
    '<%= config.bin %> status --watch --interval 5',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    idfile,
    watch: Flags.boolean({ char: 'w', summary: 'show it again and again' }),
    interval: Flags.integer({
      summary: 'seconds between two looks; 1 where nothing is said',
      min: 1,
      max: 86_400,
      dependsOn: ['watch'],
    }),
  };

  override async run(): Promise<LentoStatus> {
    const { flags } = await this.parse(Status);
    const { sysid } = loadConfiguration({
      configDir: configDirectory(flags.configdir),
      idfile: flags.idfile,
    });
    const ask = (): Promise<LentoStatus> => askStatus(runDirectory(), sysid.name);
    if (flags.watch) await this.#watch(ask, flags.interval ?? 1);
    const status = await ask();
    for (const line of renderStatus(status)) this.log(line);
    if (needsHuman(status)) process.exitCode = EXIT.findings;
    return status;
  }

  /** Never returns: what is shown is no result. */
  async #watch(ask: () => Promise<LentoStatus>, seconds: number): Promise<never> {
    const json = this.jsonEnabled();
    await showLive({
      out: process.stdout,
      seconds,
      lines: async () => {
        try {
          const status = await ask();
          return json ? [JSON.stringify(status)] : [...renderStatus(status), ''];
        } catch (error) {
          // It may be started again: whoever watches wants to see that.
          if (!(error instanceof IzoError)) throw error;
          return json ? [JSON.stringify({ error: error.message })] : [error.message, ''];
        }
      },
    });
    return this.exit(0);
  }
}
