import { Command } from '@oclif/core';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { describeFailure, failureEnvelope, failureParagraph, wantsStack } from './failure.js';
import { configdir } from './flags.js';

/**
 * What all commands of izo have in common: --configdir, and how they fail. A command throws an IzoError for all it
 * expects; the user reads one paragraph or, with --json, one envelope on standard output. Commands that return their
 * result set `enableJsonFlag`.
 */
export abstract class IzoCommand extends Command {
  static override baseFlags = { configdir };

  protected override async catch(error: unknown): Promise<never> {
    const command = (this.id ?? '').replaceAll(':', ' ');
    // `this.exit(code)`: there is nothing to tell.
    if (error instanceof Error && 'code' in error && error.code === 'EEXIT') throw error;
    const failure = describeFailure(error, command);
    if (this.jsonEnabled()) this.logJson(failureEnvelope(failure));
    else process.stderr.write(`${failureParagraph(failure, command)}\n`);
    if (wantsStack()) process.stderr.write(`${stackOf(error)}\n`);
    return Promise.resolve(this.exit(failure.exit));
  }

  /** Refuses to run for anybody but root. `to` ends the sentence "only root may". */
  protected requireRoot(to: string): void {
    if (process.geteuid?.() === 0) return;
    throw new IzoError('not-root', `only root may ${to}`, {
      exit: EXIT.notPermitted,
      remedy: `\`sudo izo ${(this.id ?? '').replaceAll(':', ' ')} ...\`.`,
    });
  }
}

/** The stack, and those of the causes. */
function stackOf(error: unknown): string {
  const stacks: string[] = [];
  for (let each = error; each instanceof Error && stacks.length < 10; each = each.cause) {
    stacks.push(each.stack ?? each.message);
  }
  return stacks.join('\ncaused by ');
}
