import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { idfile } from '../core/cli/flags.js';
import { readToken } from '../core/cli/read-token.js';
import { join, type JoinResult } from '../core/config/index.js';

export default class Join extends IzoCommand {
  static override summary = 'become a client of the server that has printed a token';
  static override description =
    'Writes sysid, serverdb, fsetdb and the key of the two hosts, or adds to what is there. Nothing is written where ' +
    'something is wrong, and nothing that is there is contradicted without --force. Joining again is harmless.';
  static override examples = [
    {
      description: 'Ask for the token, so that it is in no history of the shell',
      command: '<%= config.bin %> join',
    },
    { description: 'Read it from standard input', command: '<%= config.bin %> join - < token' },
    {
      description: 'A second client on the same host, for tests',
      command:
        '<%= config.bin %> join - --idfile sysid.clientB --psdev /dev/intermezzo1 --bindaddr 192.168.0.4',
    },
  ];
  static override enableJsonFlag = true;
  static override args = {
    token: Args.string({ description: 'what `izo invite` has printed; - reads standard input' }),
  };
  static override flags = {
    idfile,
    bindaddr: Flags.string({
      summary: 'address of this host towards the server; default: any, or what sysid has',
      helpValue: 'ADDRESS',
    }),
    psdev: Flags.string({
      summary: 'presto device of this host; default: /dev/intermezzo0, or what sysid has',
      helpValue: 'DEVICE',
    }),
    force: Flags.boolean({ summary: 'let the token win where the files contradict it' }),
  };

  override async run(): Promise<JoinResult> {
    const { args, flags } = await this.parse(Join);
    const result = join({
      configDir: flags.configdir,
      idfile: flags.idfile,
      token: await readToken(args.token),
      force: flags.force,
      ...(flags.bindaddr === undefined ? {} : { bindaddr: flags.bindaddr }),
      ...(flags.psdev === undefined ? {} : { psdev: flags.psdev }),
    });
    for (const file of result.written) this.log(`wrote ${file}`);
    if (result.written.length === 0) this.log('nothing to write: this host has joined already');
    const { name, ipaddr, port } = result.server;
    this.log(
      `this host is ${result.client}, client of ${name} (${ipaddr} port ${port}) for ${result.filesets.join(', ')}`,
    );
    return result;
  }
}
