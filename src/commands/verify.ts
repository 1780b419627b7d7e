import { Args, Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { idfile } from '../core/cli/flags.js';
import { pathInFileset } from '../core/cli/path-in-fileset.js';
import { amount, Progress, PROGRESS_LINE_MS } from '../core/cli/terminal/progress.js';
import { verifyWith, type Verified } from '../core/cli/verify.js';
import { loadConfiguration, mustFindFileset, roleOf } from '../core/config/index.js';
import { askOthers } from '../core/lento/service/control-client.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import { displayBytes } from '../core/model/names.js';
import { configDirectory, runDirectory } from '../core/system/directories.js';

export default class Verify extends IzoCommand {
  static override summary = 'compare replicas, contents included, without changing anything';
  static override description =
    'Compares what this host has of a fileset with what other hosts have: names, types, modes, owners, times, extended ' +
    'attributes and ACLs, links, SHA-256 of contents, identities and versions. Both must be connected. What differs because ' +
    'it is on its way is looked at again when it has arrived; what is being written all the time is told as changing. Times ' +
    'of access are not compared. Exit code 0 where all is equal, 3 where something differs, 4 where nobody could be ' +
    'compared with.';
  static override examples = [
    {
      description: 'All filesets of this host, with all hosts that are connected',
      command: '<%= config.bin %> verify',
    },
    {
      description: 'A part of one with one host, without reading contents',
      command: '<%= config.bin %> verify shared --path docs --peer clientA --fast',
    },
  ];
  static override enableJsonFlag = true;
  static override args = { fileset: Args.string({ description: 'default: all of this host' }) };
  static override flags = {
    idfile,
    path: Flags.string({ helpValue: 'P', summary: 'only this, and what is below it', default: '' }),
    peer: Flags.string({
      helpValue: 'HOST',
      summary: 'with this host; default: the server, or on the server all that are connected',
    }),
    fast: Flags.boolean({ summary: 'do not read contents: sizes, times and versions must do' }),
    after: Flags.string({
      helpValue: 'P',
      summary: 'go on behind this path, where an earlier run was interrupted',
    }),
  };

  override async run(): Promise<{ filesets: Verified[] }> {
    const { args, flags } = await this.parse(Verify);
    const configDir = configDirectory(flags.configdir);
    const config = loadConfiguration({ configDir, idfile: flags.idfile });
    const { name: sysid } = config.sysid;
    const names =
      args.fileset === undefined
        ? [...config.filesets.keys()].filter((name) => roleOf(config, name) !== 'none')
        : [mustFindFileset(config, args.fileset).name];
    const filesets: Verified[] = [];
    for (const fileset of names) {
      const others = await askOthers(runDirectory(), { sysid, fileset });
      const isServer = roleOf(config, fileset) === 'server';
      const hosts =
        flags.peer === undefined ? (isServer ? others : others.slice(0, 1)) : [flags.peer];
      for (const host of hosts) {
        const found = await this.#compare({ sysid, fileset, host }, flags);
        if (found !== undefined) filesets.push(found);
      }
    }
    if (filesets.length === 0) {
      throw new IzoError('not-connected', 'there is nobody to compare with', {
        exit: EXIT.notRunning,
        remedy: 'See who is connected: izo status',
      });
    }
    if (filesets.some(({ found }) => found > 0)) process.exitCode = EXIT.findings;
    return { filesets };
  }

  /** @returns undefined where one of several is not connected */
  async #compare(
    target: { sysid: string; fileset: string; host: string },
    flags: { path: string; after: string | undefined; fast: boolean; peer: string | undefined },
  ): Promise<Verified | undefined> {
    const { fileset, host } = target;
    const progress = new Progress({ json: this.jsonEnabled(), lineMs: PROGRESS_LINE_MS });
    let last: string | undefined;
    const onInterrupt = (): void => {
      progress.clear();
      const rest = last === undefined ? '' : `, go on with: --after '${displayBytes(last)}'`;
      process.stderr.write(`interrupted${rest}\n`);
      process.exit(EXIT.interrupted);
    };
    process.once('SIGINT', onInterrupt);
    try {
      const after = flags.after === undefined ? undefined : pathInFileset(flags.after);
      const request = { path: pathInFileset(flags.path), after, fast: flags.fast };
      const found = await verifyWith(runDirectory(), target, request, {
        progress: (entries, at) => {
          last = at;
          progress.update(
            `${fileset} with ${host}: ${amount(entries)} compared, ${displayBytes(at)}`,
          );
        },
        difference: ({ path, what, here, there }) => {
          progress.clear();
          this.log(`${path}: ${what}: ${here} here, ${there} on ${host}`);
        },
      });
      progress.clear();
      this.log(summary(found));
      return found;
    } catch (error) {
      const isAbsent = error instanceof IzoError && error.code === 'not-connected';
      if (!isAbsent || flags.peer !== undefined) throw error;
      process.stderr.write(`${error.message}: not compared with it\n`);
      return undefined;
    } finally {
      progress.clear();
      process.off('SIGINT', onInterrupt);
    }
  }
}

function summary({ fileset, host, entries, bytes, found, changing }: Verified): string {
  const size = bytes === 0 ? '' : ` and ${bytes} bytes of contents`;
  const differs = found === 0 ? 'all equal' : `differences: ${found}`;
  const moving = changing.length === 0 ? '' : `; changing meanwhile: ${changing.join(', ')}`;
  return `${fileset} with ${host}: ${entries} names${size} compared, ${differs}${moving}`;
}
