import { IzoCommand } from '../core/cli/base-command.js';
import { idfile } from '../core/cli/flags.js';
import { renderMetrics } from '../core/cli/render/metrics.js';
import { loadConfiguration } from '../core/config/index.js';
import { askStatus } from '../core/lento/service/control-client.js';
import { configDirectory, runDirectory } from '../core/system/directories.js';

export default class Metrics extends IzoCommand {
  static override summary = 'the state of lento as text for Prometheus';
  static override description = `
Prints what \`izo status\` shows in the text format of Prometheus: for the textfile collector of its node exporter, or for
whatever else asks programs. izo_needs_human is the one to be alerted by; izo_peer_lag_seconds and izo_peer_stuck say what
does not flow. Where lento is not running, there is nothing but the error, and exit code 4.
`.trim();
  static override examples = [
    '<%= config.bin %> metrics',
    '<%= config.bin %> metrics > /var/lib/prometheus/node-exporter/izo.prom',
  ];
  static override flags = { idfile };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Metrics);
    const { sysid } = loadConfiguration({
      configDir: configDirectory(flags.configdir),
      idfile: flags.idfile,
    });
    process.stdout.write(renderMetrics(await askStatus(runDirectory(), sysid.name)));
  }
}
