import { hostname } from 'node:os';
import { Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { amount, Progress } from '../core/cli/terminal/progress.js';
import { makeReport, type Report } from '../core/report/index.js';
import { configDirectory, runDirectory } from '../core/system/directories.js';

export default class Bugreport extends IzoCommand {
  static override summary = 'put together what others need to find out what is wrong';
  static override description =
    'An archive that only root can read: versions, configuration, config-check, status, logs, and of every mounted fileset ' +
    'what its modification log consists of, whether it is sound, and its last 100 records. These name files and users of ' +
    'this host; contents of files are never part of it. Keys and tokens are not either: every part is searched for them.\n\n' +
    'What cannot be had, because something is dead, hangs or was never set up, is named in its index.json with the reason.';
  static override examples = [
    '<%= config.bin %> bugreport',
    '<%= config.bin %> bugreport --output /root/izo.tar.gz --json',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    output: Flags.string({
      char: 'o',
      summary: 'the archive; default: izo-bugreport-HOST-TIME.tar.gz in this directory',
      helpValue: 'FILE',
    }),
  };

  override async run(): Promise<Report> {
    const { flags } = await this.parse(Bugreport);
    this.requireRoot('look at all of this');
    const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
    const output = flags.output ?? `izo-bugreport-${hostname()}-${time}.tar.gz`;
    const places = { configDir: configDirectory(flags.configdir), runDir: runDirectory() };
    const progress = new Progress({ json: this.jsonEnabled() });
    const report = await makeReport(places, {
      output,
      onPart: (name, at, of) => {
        progress.update(`${name}: ${amount(at, of)}`);
      },
    }).finally(() => {
      progress.clear();
    });
    for (const { name, missing } of report.parts) {
      if (missing !== undefined) this.log(`without ${name}: ${missing.split('\n')[0] ?? ''}`);
    }
    const there = report.parts.filter(({ missing }) => missing === undefined).length;
    this.log(`${report.file}: ${there} parts, ${report.bytes} bytes`);
    this.log('Look into it before you give it away: it names files and users of this host.');
    return report;
  }
}
