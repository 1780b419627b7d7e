import { Errors, type Hook, type Interfaces } from '@oclif/core';
import { didYouMean, quoted } from '../config/suggest.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { describeFailure, failureEnvelope, failureParagraph } from './failure.js';

/** Says that there is no such command, and what was meant perhaps. @returns what ends the program */
export function unknownCommand(
  words: readonly string[],
  argv: readonly string[],
  config: Interfaces.Config,
): Error {
  const [first = '', second = ''] = words;
  const isTopic = config.findTopic(first) !== undefined;
  const asTyped = isTopic ? `${first} ${second}`.trimEnd() : first;
  const known = config.commands
    .filter((command) => !command.hidden)
    .map((command) => command.id.replaceAll(':', ' '));
  const list = `\`izo ${isTopic ? `${first} ` : ''}--help\` lists the commands.`;
  const error = first.startsWith('-')
    ? new IzoError('unknown-command', `${quoted(first)} stands where a command is expected`, {
        exit: EXIT.usage,
        remedy: `Options come after the command: izo COMMAND ${first} ... ${list}`,
      })
    : new IzoError('unknown-command', `there is no command ${quoted(asTyped)}`, {
        exit: EXIT.usage,
        remedy: `${didYouMean(asTyped, known)}${list}`,
      });
  return tell(error, argv);
}

/** Tells what went wrong outside of any command. @returns what ends the program */
export function tell(error: unknown, argv: readonly string[]): Error {
  const failure = describeFailure(error, '');
  if (argv.includes('--json'))
    process.stdout.write(`${JSON.stringify(failureEnvelope(failure))}\n`);
  else process.stderr.write(`${failureParagraph(failure, '')}\n`);
  return new Errors.ExitError(failure.exit);
}

/**
 * oclif calls this for an unknown command. It suggests, but never runs another command than the one that was typed,
 * and ends with the code for wrong usage.
 */
const hook: Hook<'command_not_found'> = function ({ id, argv = [], config }) {
  // With blanks between topic and command, oclif takes all words up to the first flag for the command.
  return Promise.reject(unknownCommand(id.split(':'), argv, config));
};

export default hook;
