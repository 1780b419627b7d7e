import { Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { collectAnswers } from '../core/cli/collect-answers.js';
import { doIt, wouldDo, type Configured } from '../core/cli/finish.js';
import { fstab, idfile } from '../core/cli/flags.js';
import { renderPreparation, renderWarning } from '../core/cli/render/preparation.js';
import { runWizard, type Agreed } from '../core/cli/wizard/wizard.js';
import {
  planConfiguration,
  readExisting,
  type Answers,
  type Existing,
} from '../core/config/index.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import { isNothing, prepare } from '../core/setup/carry-out.js';
import { hostFacts } from '../core/setup/host.js';
import { hasService, startServices, unitsOf } from '../core/setup/service.js';

/** A kind of answer as a flag. */
const answer = (summary: string, helpValue: string) =>
  Flags.string({
    summary,
    helpValue,
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'ANSWER',
  });

export default class Inconfig extends IzoCommand {
  static override summary = 'describe this host, the servers, the filesets and the mounts';
  static override description =
    'At a terminal it asks, explains as it asks, shows what would change and writes it when told to. Answers given by ' +
    'flags or by a file are not asked for.\n\n' +
    'An answer is all that the files shall say of that host, server, fileset or mount; what no answer names stays as it ' +
    'is, with its comments. Nothing is written unless all of it is valid; what was there is kept as .bak.\n\n' +
    'A file of answers has one a line, in the words of the flags, or the same as JSON:\n' +
    '  {"sysid": {"name": "muskox", "psdev": "/dev/intermezzo0"}, "invite": ["clientA"]}\n' +
    'The keys are those of the files (sysid: name psdev bindaddr file; server: name ipaddr port bindaddr; fileset: name ' +
    'servername replicator policy conflicts) and of fstab (mount: mtpt fileset cache prestodev cache_type size options; ' +
    'size makes the image; options defaults to noauto). remove takes server, fileset or mount.';
  static override examples = [
    { description: 'Be asked', command: '<%= config.bin %> inconfig' },
    {
      description: 'The server of the HOWTO, and the token for its client',
      command:
        "<%= config.bin %> inconfig --sysid 'muskox psdev=/dev/intermezzo0 bindaddr=192.168.0.3' --server 'muskox ipaddr=192.168.0.3' --fileset 'shared servername=muskox replicator=clientA' --mount '/izo0 fileset=shared cache=/tmp/fs0 size=1G' --invite clientA",
    },
    {
      description: 'See what a file of answers would change',
      command: '<%= config.bin %> inconfig --answers muskox.answers --dry-run',
    },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    idfile,
    fstab,
    answers: Flags.string({
      summary: 'take the answers of a file; - reads standard input',
      helpValue: 'FILE',
    }),
    sysid: answer('this host, or another lento on it', "'NAME psdev=DEVICE ...'"),
    server: answer('a server', "'NAME ipaddr=ADDRESS ...'"),
    fileset: answer('a fileset', "'NAME servername=NAME replicator=NAME,NAME ...'"),
    mount: answer('a mount of this host', "'DIRECTORY fileset=NAME cache=PATH ...'"),
    invite: answer('make a key for a client, and print its token', 'NAME'),
    remove: answer('no longer describe a server, fileset or mount', "'fileset=NAME ...'"),
    'dry-run': Flags.boolean({ summary: 'show what would be written, and write nothing' }),
    service: Flags.boolean({
      summary: 'have the services of lento run with it, now and after a boot',
    }),
  };

  override async run(): Promise<Configured> {
    const { flags } = await this.parse(Inconfig);
    const { answers: file, sysid, server, fileset, mount, invite, remove } = flags;
    const existing = readExisting({
      configDir: flags.configdir,
      idfile: flags.idfile,
      fstab: flags.fstab,
    });
    const given = { answers: file, flags: { sysid, server, fileset, mount, invite, remove } };
    const answers = await collectAnswers(given, flags.idfile);
    const agreed =
      answers === undefined
        ? await this.#ask(existing, flags['dry-run'])
        : await this.#show(answers, existing, flags.service);
    if (agreed === undefined) return this.#nothing();
    if (flags['dry-run']) return wouldDo(agreed.preparation);
    return this.#do(agreed);
  }

  #ask(existing: Existing, dryRun: boolean): Promise<Agreed | undefined> {
    if (!process.stdin.isTTY || !process.stdout.isTTY || this.jsonEnabled()) throw nobodyToAsk();
    return runWizard(existing, hostFacts(), dryRun);
  }

  async #show(answers: Answers, existing: Existing, service: boolean): Promise<Agreed> {
    const preparation = await prepare(planConfiguration(answers, existing, hostFacts()));
    for (const line of renderPreparation(preparation)) this.log(line);
    for (const warning of preparation.warnings) this.logToStderr(renderWarning(warning));
    return { preparation, service };
  }

  #nothing(): Configured {
    this.log('nothing was changed');
    return { dryRun: false, written: [], made: [], warnings: [], tokens: {} };
  }

  async #do({ preparation, service }: Agreed): Promise<Configured> {
    const done = await doIt(preparation, (what) => {
      if (!this.jsonEnabled()) this.logToStderr(what);
    });
    if (isNothing(preparation)) this.log('nothing to write: all of it is there already');
    for (const file of done.written) this.log(`wrote ${file}`);
    for (const path of done.made) this.log(`made ${path}`);
    for (const { mtpt } of preparation.plan.mounts) this.log(`to mount: izo mount ${mtpt}`);
    for (const [client, token] of Object.entries(done.tokens)) {
      this.log(`token for ${client}, secret, for \`izo join\` there:\n${token}`);
    }
    if (service && hasService()) await startServices(unitsOf(preparation.plan));
    return done;
  }
}

function nobodyToAsk(): IzoError {
  return new IzoError('usage', 'no answers are given, and there is no terminal to ask at', {
    exit: EXIT.usage,
    remedy: '`izo inconfig --answers FILE`, or the flags of `izo inconfig --help`.',
  });
}
