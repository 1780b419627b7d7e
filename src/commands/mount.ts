import { readdirSync } from 'node:fs';
import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { Progress, PROGRESS_LINE_MS } from '../core/cli/terminal/progress.js';
import { BINDINGS, findFstabEntry, parseMountOptions } from '../core/config/index.js';
import { limitsOf, type BindingKind } from '../core/presto/mounting/bindings.js';
import { mountOrRemount } from '../core/presto/mounting/remount.js';
import { findMountAt } from '../core/system/mounts.js';
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
      description: 'Let no program change it any more; what other hosts do still arrives',
      command: '<%= config.bin %> mount /izo0 -o remount,ro',
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
    options: Flags.string({
      char: 'o',
      summary: 'mount options, as in /etc/fstab, and added to those there',
    }),
    binding: Flags.option({
      options: BINDINGS,
      summary: 'how to speak FUSE; auto: by /dev/fuse itself where this host allows it',
    })(),
  };

  override async run(): Promise<MountResult> {
    const { args, flags } = await this.parse(Mount);
    this.requireRoot('mount');
    const { device, mountPoint, options } = this.#what(args.device, args.directory, flags.options);
    const how = { ...options, binding: flags.binding ?? options.binding };
    const hidden = namesAt(mountPoint);
    const progress = new Progress({ json: this.jsonEnabled(), lineMs: PROGRESS_LINE_MS });
    const mounted = await mountOrRemount(device, mountPoint, how, runDirectory(), (words) =>
      progress.update(words),
    ).finally(() => progress.clear());
    if (mounted.done === 'was-mounted') {
      this.log(`${mountPoint} was mounted already`);
      return { mountPoint, mounted: false };
    }
    if (mounted.done === 'remounted') {
      this.log(`${mountPoint} is ${mounted.readOnly ? 'read-only' : 'writable'} now`);
      return { mountPoint, mounted: false, readOnly: mounted.readOnly };
    }
    this.log(`${options.fileset ?? ''} is mounted at ${mountPoint} (${mounted.binding} binding)`);
    if (hidden > 0) {
      const what = hidden === 1 ? '1 name that was' : `${hidden} names that were`;
      this.logToStderr(`${what} in ${mountPoint} cannot be seen while it is mounted`);
    }
    for (const limit of limitsOf(mounted.binding)) this.logToStderr(`native binding: ${limit}`);
    return { mountPoint, mounted: true, binding: mounted.binding };
  }

  /** With a directory: as said. With one word: by fstab, and what else is said; a remount needs no fstab. */
  #what(device: string, directory: string | undefined, said = '') {
    const options = parseMountOptions(said);
    if (directory !== undefined) return { device, mountPoint: directory, options };
    if (options.remount) return { device: '', mountPoint: device, options };
    const entry = findFstabEntry(device);
    const all = parseMountOptions(`${entry.options},${said}`, entry.place);
    return { device: entry.spec, mountPoint: entry.mountPoint, options: all };
  }
}

/** How much is in a directory at which nothing is mounted. */
function namesAt(directory: string): number {
  try {
    return findMountAt(directory) === undefined ? readdirSync(directory).length : 0;
  } catch {
    return 0;
  }
}

interface MountResult {
  readonly mountPoint: string;
  readonly mounted: boolean;
  readonly binding?: BindingKind;
  /** Of a remount. */
  readonly readOnly?: boolean;
}
