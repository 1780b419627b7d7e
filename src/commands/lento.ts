import { Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { idfile } from '../core/cli/flags.js';
import { loadConfiguration } from '../core/config/index.js';
import { Lento } from '../core/lento/lento.js';
import { LentoService } from '../core/lento/service/service.js';
import { configDirectory, directories } from '../core/system/directories.js';
import { DebugLevel, makeLogger } from '../core/system/log.js';
import { ServiceManager } from '../core/system/notify.js';

export default class LentoCommand extends IzoCommand {
  static override summary =
    'the cache manager: keeps the filesets of this host in step with others';
  static override description =
    'Runs in the foreground, and says when it is ready: to systemd as well, where that has started it. Filesets that are ' +
    'mounted or unmounted while it runs are noticed. Its log goes to standard error.\n\n' +
    'At SIGHUP it reads its configuration again, and logs what has changed and whether that needs a restart. At SIGTERM ' +
    'or Ctrl-C it sends what is not sent yet, for at most 10 seconds, and ends; at a second one it ends at once. What is ' +
    'not sent stays in the journal.';
  static override examples = [
    { description: 'As the HOWTO has it', command: '<%= config.bin %> lento' },
    {
      description: 'A second one on the same host, with its own sysid file',
      command: '<%= config.bin %> lento --idfile=sysid.muskoxA1',
    },
  ];
  static override flags = {
    idfile,
    debuglevel: Flags.integer({
      summary: 'how much to log: 0 what matters, 1 many things, 100 all of it; see izo debug',
      default: 0,
      min: 0,
    }),
    'trusted-network': Flags.boolean({
      summary: 'no encryption and no keys: every host is believed who it says it is',
      default: false,
    }),
    'log-json': Flags.boolean({ summary: 'log in JSON' }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(LentoCommand);
    this.requireRoot('run lento');
    const manager = new ServiceManager();
    // What lento starts must not speak for it.
    delete process.env['NOTIFY_SOCKET'];
    const readConfiguration = () =>
      loadConfiguration({ configDir: configDirectory(flags.configdir), idfile: flags.idfile });
    const config = readConfiguration();
    const debug = new DebugLevel(flags.debuglevel);
    const log = makeLogger({
      name: `lento ${config.sysid.name}`,
      debuglevel: debug,
      json: flags['log-json'],
    });
    for (const warning of config.warnings) log.warn(warning.message);
    const trusted = flags['trusted-network'];
    const lento = new Lento({
      config,
      directories: directories({ configDir: config.configDir }),
      trusted,
      log,
      debug,
    });
    const service = new LentoService({ lento, manager, log, readAgain: readConfiguration });
    await service.start();
    const how = trusted ? ', WITHOUT encryption: --trusted-network' : '';
    this.log(`lento of ${config.sysid.name} is ready${how}`);
    await service.untilStopped();
    // Sockets being closed in peace are given a moment; what lingers must not keep the process.
    setTimeout(() => process.exit(0), LINGER_MS).unref();
  }
}

const LINGER_MS = 1_500;
