import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';

/** Asks a question that is answered by yes or no; no is the default. @throws IzoError usage where nobody can answer */
export async function confirm(message: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new IzoError('usage', 'there is no terminal to ask at', {
      exit: EXIT.usage,
      remedy: 'Give --yes to agree, or --dry-run to see what would be done.',
    });
  }
  // Start-up of every other use of the command would pay for it.
  const { default: inquirer } = await import('inquirer');
  const answers = await inquirer.prompt<{ yes: boolean }>([
    { type: 'confirm', name: 'yes', message, default: false },
  ]);
  return answers.yes;
}
