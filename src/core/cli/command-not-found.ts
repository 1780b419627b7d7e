import { Errors, type Hook } from '@oclif/core';
import { didYouMean, quoted } from '../config/suggest.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { describeFailure, failureEnvelope, failureParagraph } from './failure.js';

/**
 * oclif calls this for an unknown command. It suggests, but never runs another command than the one that was typed,
 * and ends with the code for wrong usage.
 */
const hook: Hook<'command_not_found'> = function ({ id, argv = [], config }) {
  // With blanks between topic and command, oclif takes all words up to the first flag for the command.
  const [first = '', second = ''] = id.split(':');
  const isTopic = config.findTopic(first) !== undefined;
  const asTyped = isTopic ? `${first} ${second}`.trimEnd() : first;
  const known = config.commands
    .filter((command) => !command.hidden)
    .map((command) => command.id.replaceAll(':', ' '));
  const error = new IzoError('unknown-command', `there is no command ${quoted(asTyped)}`, {
    exit: EXIT.usage,
    remedy: `${didYouMean(asTyped, known)}\`izo ${isTopic ? `${first} ` : ''}--help\` lists the commands.`,
  });
  const failure = describeFailure(error, '');
  if (argv.includes('--json'))
    process.stdout.write(`${JSON.stringify(failureEnvelope(failure))}\n`);
  else process.stderr.write(`${failureParagraph(failure, '')}\n`);
  return Promise.reject(new Errors.ExitError(failure.exit));
};

export default hook;
