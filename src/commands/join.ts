import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { doIt } from '../core/cli/finish.js';
import { fstab, idfile } from '../core/cli/flags.js';
import { askMounts, mountsToJoin, refuseOtherCache } from '../core/cli/join-mounts.js';
import { readToken } from '../core/cli/read-token.js';
import { renderWarning } from '../core/cli/render/preparation.js';
import {
  decodeInvitation,
  keyOfInvitation,
  planJoin,
  readExisting,
  type JoinResult,
} from '../core/config/index.js';
import { prepare } from '../core/setup/carry-out.js';
import { hostFacts } from '../core/setup/host.js';
import { hasService, startServices, unitsOf } from '../core/setup/service.js';

/** What joining came to, for --json. */
interface Joined extends JoinResult {
  /** Caches and mount points. */
  made: string[];
  /** Where the filesets are mounted by fstab. */
  mounts: Record<string, string>;
  /** The services that run with the new configuration. */
  services: string[];
}

export default class Join extends IzoCommand {
  static override summary = 'become a client of the server that has printed a token';
  static override description =
    'Writes sysid, serverdb, fsetdb and the key of the two hosts, or adds to what is there. With --mount also makes the ' +
    'cache, the mount point and the line in fstab. Where `izo install` has made lento a service, that is started. ' +
    'Nothing is written where something is wrong, and nothing that is there is contradicted without --force. Joining ' +
    'again is harmless.';
  static override examples = [
    {
      description: 'Ask for the token, so that it is in no history of the shell',
      command: '<%= config.bin %> join --mount /izo0',
    },
    {
      description: 'Read it from standard input; a cache of 20 GiB',
      command: '<%= config.bin %> join - --mount /izo0 --size 20G < token',
    },
    {
      description: 'A second client on the same host, for tests',
      command:
        '<%= config.bin %> join - --idfile sysid.clientB --psdev /dev/intermezzo1 --bindaddr 192.168.0.4 < token',
    },
  ];
  static override enableJsonFlag = true;
  static override args = {
    token: Args.string({ description: 'what `izo invite` has printed; - reads standard input' }),
  };
  static override flags = {
    idfile,
    fstab,
    bindaddr: Flags.string({
      summary: 'address of this host towards the server; default: any, or what sysid has',
      helpValue: 'ADDRESS',
    }),
    psdev: Flags.string({
      summary: 'presto device of this host; default: what sysid has, or the first that is free',
      helpValue: 'DEVICE',
    }),
    mount: Flags.string({
      summary: 'where to mount the fileset; FILESET=DIRECTORY where there are several',
      helpValue: 'DIRECTORY',
      multiple: true,
      multipleNonGreedy: true,
    }),
    cache: Flags.string({
      summary: 'image file or block device; default: /var/lib/intermezzo/FILESET.img',
      helpValue: 'PATH',
      dependsOn: ['mount'],
    }),
    size: Flags.string({
      summary: 'size of an image that is to be made; default: 1G',
      helpValue: 'SIZE',
      dependsOn: ['mount'],
    }),
    options: Flags.string({
      summary: 'further options in fstab; default: noauto',
      dependsOn: ['mount'],
    }),
    force: Flags.boolean({ summary: 'let the token win where the files contradict it' }),
  };

  override async run(): Promise<Joined> {
    const { args, flags } = await this.parse(Join);
    const invitation = decodeInvitation(await readToken(args.token));
    const filesets = invitation.filesets.map(({ name }) => name);
    const isAtTerminal = args.token === undefined && flags.mount === undefined;
    const mounts = isAtTerminal ? await askMounts(filesets) : mountsToJoin(filesets, flags);
    if (mounts.length > 0) this.requireRoot('make a cache');
    const { configdir: configDir, bindaddr, psdev, force } = flags;
    const existing = readExisting({ configDir, idfile: flags.idfile, fstab: flags.fstab });
    if (!force) refuseOtherCache(mounts, existing);
    const wishes = {
      ...(bindaddr === undefined ? {} : { bindaddr }),
      ...(psdev === undefined ? {} : { psdev }),
      force,
      mounts,
    };
    const prepared = await prepare(planJoin(invitation, existing, wishes, hostFacts()));
    const secrets = [...prepared.secrets, ...keyOfInvitation(configDir, invitation)];
    for (const warning of prepared.warnings) this.logToStderr(renderWarning(warning));
    const done = await doIt({ ...prepared, secrets }, (what) => {
      if (!this.jsonEnabled()) this.logToStderr(what);
    });
    const services = hasService() ? unitsOf(prepared.plan) : [];
    const { client, server } = invitation;
    const at = Object.fromEntries(mounts.map(({ fileset, mtpt }) => [fileset, mtpt]));
    const { written, made } = done;
    this.#tell({ written, made, client, server, filesets, mounts: at, services });
    await startServices(services);
    return { written, made, client, server, filesets, mounts: at, services };
  }

  #tell({ written, made, client, server, filesets, mounts, services }: Joined): void {
    for (const file of written) this.log(`wrote ${file}`);
    for (const path of made) this.log(`made ${path}`);
    if (written.length === 0) this.log('nothing to write: this host has joined already');
    const { name, ipaddr, port } = server;
    this.log(
      `this host is ${client}, client of ${name} (${ipaddr} port ${port}) for ${filesets.join(', ')}`,
    );
    for (const unit of services) this.log(`starting ${unit}`);
    for (const directory of Object.values(mounts)) this.log(`to mount: izo mount ${directory}`);
  }
}
