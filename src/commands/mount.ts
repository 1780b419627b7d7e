import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { Progress, PROGRESS_LINE_MS } from '../core/cli/progress.js';
import { BINDINGS, findFstabEntry, parseMountOptions } from '../core/config/index.js';
import { limitsOf, type BindingKind } from '../core/presto/bindings.js';
import { mountFileset } from '../core/presto/mount.js';
import { runDirectory } from '../core/system/directories.js';

export default class Mount extends IzoCommand {
  static override summary = 'mount a fileset';
  static override description =
    'Mounts the cache DEVICE (an image file or a block device) at DIRECTORY, or what /etc/fstab says for one of them. ' +
    'Returns when the mount answers. The log is in the run-time directory of the psdev.\n\n' +
    'Where the host that has the permit, or lento itself, does not answer, updates wait for upcall=SECONDS (1 to 3600, ' +
    '30 where nothing is said). Then the fileset goes on as cut off: it journals them, or refuses them if its ' +
    'disconnected policy is readonly.';
  static override examples = [
    {
      description: 'By its line in /etc/fstab',
      command: '<%= config.bin %> mount /izo0',
    },
    {
      description: 'By hand',
      command:
        '<%= config.bin %> mount /tmp/fs0 /izo0 -o loop,fileset=shared,prestodev=/dev/intermezzo0,cache_type=ext3',
    },
  ];
  static override enableJsonFlag = true;
  static override args = {
    device: Args.string({ required: true, description: 'cache, or a mount point of /etc/fstab' }),
    directory: Args.string({ description: 'where to mount it' }),
  };
  static override flags = {
    options: Flags.string({ char: 'o', summary: 'mount options, as in /etc/fstab' }),
    binding: Flags.option({
      options: BINDINGS,
      summary: 'how to speak FUSE; auto: by /dev/fuse itself where this host allows it',
    })(),
  };

  override async run(): Promise<{ mountPoint: string; mounted: boolean; binding?: BindingKind }> {
    const { args, flags } = await this.parse(Mount);
    this.requireRoot('mount');
    const what =
      args.directory === undefined
        ? fromFstab(args.device)
        : { device: args.device, mountPoint: args.directory, options: flags.options ?? '' };
    const options = 'parsed' in what ? what.parsed : parseMountOptions(what.options);
    const { mountPoint } = what;
    const { binding: wanted = options.binding } = flags;
    const progress = new Progress({ json: this.jsonEnabled(), lineMs: PROGRESS_LINE_MS });
    const binding = await mountFileset(
      what.device,
      mountPoint,
      { ...options, binding: wanted },
      runDirectory(),
      (words) => progress.update(words),
    ).finally(() => progress.clear());
    if (binding === undefined) {
      this.log(`${mountPoint} was mounted already`);
      return { mountPoint, mounted: false };
    }
    this.log(`${options.fileset ?? ''} is mounted at ${mountPoint} (${binding} binding)`);
    for (const limit of limitsOf(binding)) this.logToStderr(`native binding: ${limit}`);
    return { mountPoint, mounted: true, binding };
  }
}

function fromFstab(name: string) {
  const entry = findFstabEntry(name);
  return { device: entry.spec, mountPoint: entry.mountPoint, parsed: entry.mountOptions };
}
