import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { idfile } from '../core/cli/flags.js';
import { invite, type InviteResult } from '../core/config/index.js';

export default class Invite extends IzoCommand {
  static override summary = 'let a client in: print the token with which it joins';
  static override description =
    'Run it on the server. It makes the key of the two hosts, notes the client among the replicators, and prints one ' +
    'token, alone on standard output. The token holds the key: pass it on as a secret. Inviting again prints the same ' +
    'token.';
  static override examples = [
    {
      description: 'Let clientA replicate all filesets of this server',
      command: '<%= config.bin %> invite clientA',
    },
    {
      description: 'Have it join at once',
      command: '<%= config.bin %> invite clientA | ssh clientA <%= config.bin %> join -',
    },
    {
      description: 'One fileset, for a client that reaches this server at another address',
      command: '<%= config.bin %> invite clientA --fileset shared --host 203.0.113.7',
    },
  ];
  static override enableJsonFlag = true;
  static override args = {
    client: Args.string({ required: true, description: 'name of the client, as its sysid says' }),
  };
  static override flags = {
    idfile,
    fileset: Flags.string({
      summary: 'only this fileset; may be given several times; default: all this host serves',
      multiple: true,
      multipleNonGreedy: true,
    }),
    host: Flags.string({
      summary: 'address by which the client reaches this host; default: the one in serverdb',
      helpValue: 'ADDRESS',
    }),
    'new-key': Flags.boolean({ summary: 'make a new key: tokens and keys of before are void' }),
  };

  override async run(): Promise<InviteResult> {
    const { args, flags } = await this.parse(Invite);
    const result = invite({
      configDir: flags.configdir,
      idfile: flags.idfile,
      client: args.client,
      newKey: flags['new-key'],
      ...(flags.fileset === undefined ? {} : { filesets: flags.fileset }),
      ...(flags.host === undefined ? {} : { host: flags.host }),
    });
    this.log(result.token);
    for (const file of result.changed) this.logToStderr(`wrote ${file}`);
    this.logToStderr(
      `On ${args.client} run \`izo join\` and paste the token, which is secret; it lets ${args.client} replicate ` +
        `${result.filesets.join(', ')}.`,
    );
    return result;
  }
}
