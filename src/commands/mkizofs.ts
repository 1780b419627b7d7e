import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { formatCache } from '../core/cache/index.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import { parseSize } from '../core/model/sizes.js';
import { makeDirectory } from '../core/setup/undo.js';
import { cancellable } from '../core/system/cancellable.js';

export default class Mkizofs extends IzoCommand {
  static override summary = 'make a cache: a file system that holds a fileset on this host';
  static override description =
    'TARGET is an image file or a block device. It gets an ext3 file system with the identity and the empty logs of a ' +
    'fileset. What is in use is never touched; what holds another file system only with -F.';
  static override examples = [
    {
      description: 'A cache for the fileset "shared", in a new file',
      command: '<%= config.bin %> mkizofs --size 1G -v shared /var/lib/intermezzo/shared.img',
    },
    {
      description: 'On a file or device that is there',
      command: '<%= config.bin %> mkizofs -v shared /tmp/cache',
    },
    {
      description: 'As the HOWTO has it: over what is there, named by the first mount',
      command: '<%= config.bin %> mkizofs -F /tmp/fs0',
    },
  ];
  static override enableJsonFlag = true;
  static override args = { target: Args.string({ required: true, description: 'file or device' }) };
  static override flags = {
    fileset: Flags.string({
      char: 'v',
      summary: 'name of the fileset; default: the first mount names it',
      helpValue: 'NAME',
    }),
    force: Flags.boolean({
      char: 'F',
      summary: 'also over what is there: it is destroyed',
      exclusive: ['convert'],
    }),
    type: Flags.option({ char: 't', options: ['ext3', 'ext4'] as const, default: 'ext3' })({
      summary: 'file system of the cache',
    }),
    size: Flags.string({
      summary: 'make the image file, of this size: 512M, 1G; with the directories that lead to it',
      helpValue: 'SIZE',
      exclusive: ['convert'],
    }),
    convert: Flags.boolean({ summary: 'keep the ext3 or ext4 that is there, and its files' }),
  };

  override async run(): Promise<{ target: string; fileset: string | null }> {
    const { args, flags } = await this.parse(Mkizofs);
    this.requireRoot('make a cache');
    if (args.target === '')
      throw new IzoError('usage', 'TARGET is empty', {
        exit: EXIT.usage,
        remedy: 'Name a file or a device.',
      });
    const target = resolve(args.target);
    const size = flags.size === undefined ? undefined : readSize(flags.size);
    const undo = size === undefined ? () => undefined : makeDirectory(target, 'above');
    const left =
      size === undefined
        ? `${target} may be made in part: make it again, with -F or --convert as now`
        : 'nothing was changed';
    const request = {
      target,
      fileset: flags.fileset,
      type: flags.type,
      size,
      force: flags.force,
      convert: flags.convert,
    };
    await cancellable(left, (cancelled) =>
      formatCache({
        ...request,
        onStep: (what) => {
          cancelled.throwIfAborted();
          if (!this.jsonEnabled()) process.stderr.write(`${what}\n`);
        },
      }),
    ).catch((error: unknown) => {
      undo();
      throw error;
    });
    const name =
      flags.fileset === undefined ? 'a fileset that its first mount names' : flags.fileset;
    this.log(`${target} is ready for ${name}`);
    return { target, fileset: flags.fileset ?? null };
  }
}

function readSize(text: string): number {
  const size = parseSize(text);
  if (size !== undefined) return size;
  throw new IzoError('size', `"${text}" is not a size`, {
    exit: EXIT.usage,
    remedy: 'Write 512M or 1G.',
  });
}
