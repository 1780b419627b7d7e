import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { bashCompletion, zshCompletion } from '../core/cli/completions.js';
import { install, uninstall } from '../core/install/install.js';
import type { Step } from '../core/install/items.js';
import { layout } from '../core/install/layout.js';
import { thisProgram } from '../core/install/program.js';
import { disableUnits, reloadSystemd } from '../core/install/systemd.js';
import { EXIT } from '../core/model/exit-codes.js';

const DONE: Readonly<Record<Step['action'], string>> = {
  create: 'made',
  replace: 'replaced',
  keep: 'was there',
  remove: 'removed',
  leave: 'LEFT ALONE',
};

const WOULD_BE_DONE: typeof DONE = {
  create: 'would make',
  replace: 'would replace',
  keep: 'is there',
  remove: 'would remove',
  leave: 'WOULD LEAVE',
};

export default class Install extends IzoCommand {
  static override summary = 'make izo known to mount(8), systemd, man and the shells';
  static override description =
    'Makes the links by which mount(8) and umount(8) find izo, the units of systemd for lento, the man pages, and what ' +
    'bash and zsh complete. Doing it again is harmless, and needed after an update. Files of others are never ' +
    'overwritten: then nothing is changed, and the exit code is 6.';
  static override examples = [
    { description: 'See what would be done', command: '<%= config.bin %> install --dry-run' },
    '<%= config.bin %> install',
    { description: 'Take everything away again', command: '<%= config.bin %> install --uninstall' },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    // Without the default it would be undefined, whatever its type says.
    'dry-run': Flags.boolean({
      char: 'n',
      summary: 'only tell what would be done',
      default: false,
    }),
    uninstall: Flags.boolean({
      summary: 'remove what was installed, but for what was changed since',
    }),
    prefix: Flags.string({
      summary: 'where man pages, units and completions go; the helpers always go to /sbin',
      helpValue: 'DIR',
      default: '/usr/local',
      exclusive: ['uninstall'],
    }),
    root: Flags.string({
      summary: 'the tree of another system, below which all of this is done: for packages',
      helpValue: 'DIR',
      default: '/',
    }),
  };

  override async run(): Promise<{ dryRun: boolean; root: string; steps: Step[] }> {
    const { flags } = await this.parse(Install);
    const root = resolve(flags.root);
    const dryRun = flags['dry-run'];
    if (root === '/' && !dryRun) this.requireRoot('install into the system');
    const steps = flags.uninstall ? this.#uninstall(root, dryRun) : this.#install(root, flags);
    for (const step of steps) this.log(this.#line(step, dryRun));
    if (steps.length === 0) this.log('nothing is installed');
    const complaint = dryRun ? undefined : await reloadSystemd(root);
    if (complaint !== undefined) this.logToStderr(`systemd was not told: ${complaint}`);
    if (steps.some(({ action }) => action === 'leave')) process.exitCode = EXIT.findings;
    return { dryRun, root, steps };
  }

  #install(root: string, flags: { prefix: string; 'dry-run': boolean }): Step[] {
    const commands = this.config.commands.filter(
      ({ hidden, pluginName }) => !hidden && pluginName === this.config.name,
    );
    const items = layout({
      prefix: resolve('/', flags.prefix),
      program: thisProgram(root),
      completions: { bash: bashCompletion(commands), zsh: zshCompletion(commands) },
    });
    return install(root, items, flags['dry-run']);
  }

  #uninstall(root: string, dryRun: boolean): Step[] {
    const steps = uninstall(root, dryRun);
    const gone = steps.filter(({ action }) => action === 'remove').map(({ path }) => path);
    return [...steps, ...disableUnits(root, gone, dryRun)];
  }

  #line({ action, path, target, reason }: Step, dryRun: boolean): string {
    const to = target === undefined ? '' : ` -> ${target}`;
    const why = reason === undefined ? '' : `: ${reason}`;
    const what = (dryRun ? WOULD_BE_DONE : DONE)[action];
    return `${what.padEnd(13)} ${path}${to}${why}`;
  }
}
