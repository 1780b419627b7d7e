import { existsSync } from 'node:fs';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';

/** Far more than any token: what is piped in by mistake must not fill the memory. */
const CHARACTERS_MAX = 1024 * 1024;

/** All of standard input, up to a bound. */
export async function readStandardInput(): Promise<string> {
  const stream = process.stdin;
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.length > CHARACTERS_MAX) break;
  }
  return text;
}

async function ask(): Promise<string> {
  // Start-up of every other use of the command would pay for it.
  const { default: inquirer } = await import('inquirer');
  const message = 'Token that `izo invite` has printed:';
  const answers = await inquirer.prompt<{ token: string }>([
    { type: 'password', name: 'token', message, mask: '*' },
  ]);
  return answers.token;
}

/**
 * The token of an invitation: the argument, or standard input for `-`, or, without an argument, asked for without
 * showing it. Blanks and line ends that copying adds do not count.
 */
export async function readToken(argument: string | undefined): Promise<string> {
  if (argument === undefined && !process.stdin.isTTY) {
    throw new IzoError('usage', 'no token is given, and there is no terminal to ask at', {
      exit: EXIT.usage,
      remedy: '`izo join -` reads it from standard input.',
    });
  }
  const read = argument === undefined ? ask : readStandardInput;
  const text = argument === undefined || argument === '-' ? await read() : argument;
  const token = text.replaceAll(/\s+/g, '').replace(/^\ufeff/, '');
  if (argument !== undefined && argument !== '-' && existsSync(argument)) {
    throw new IzoError('usage', 'this is a file, and a token is expected', {
      exit: EXIT.usage,
      place: { file: argument },
      remedy: `izo join - < ${argument}`,
    });
  }
  return token;
}
