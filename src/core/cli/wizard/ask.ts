import type { Check } from '../../config/index.js';

/**
 * Questions at a terminal. Each is checked where it is typed: what is wrong is said below it, and nothing goes on until
 * it is right. Ctrl-C throws inquirer's ExitPromptError out of all of them.
 */

/** Loaded when the first question is asked: start-up of everything else must not pay for it. */
async function prompt(question: Record<string, unknown>): Promise<unknown> {
  const { default: inquirer } = await import('inquirer');
  const ask = inquirer.prompt as unknown as (
    questions: Record<string, unknown>[],
  ) => Promise<{ value: unknown }>;
  return (await ask([{ ...question, name: 'value' }])).value;
}

/** Explains what the next question is about. */
export function say(...lines: string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

export interface InputOptions<T> {
  message: string;
  check: Check<T>;
  byDefault?: string | undefined;
  /** The default is to be edited, not replaced. */
  isList?: boolean;
  /** Do not show what is typed. */
  secret?: boolean;
}

/** One line, understood by a check. */
export async function input<T>(options: InputOptions<T>): Promise<T> {
  const { message, check, byDefault, isList, secret } = options;
  const text = await prompt({
    type: secret === true ? 'password' : 'input',
    message,
    ...(secret === true ? { mask: '*' } : {}),
    ...(byDefault === undefined ? {} : { default: byDefault }),
    ...(isList === true ? { prefill: 'editable' } : {}),
    validate: (typed: string) => {
      const checked = check(typed.trim());
      return 'value' in checked || `${checked.refusal.message}. ${checked.refusal.remedy}`;
    },
  });
  const checked = check(String(text).trim());
  if ('value' in checked) return checked.value;
  throw new Error('the prompt takes only what the check takes');
}

export interface Choice<T> {
  name: string;
  value: T;
}

/** One of a few. @param byDefault a value of a choice */
export async function select<T>(
  message: string,
  choices: readonly Choice<T>[],
  byDefault?: T,
): Promise<T> {
  // inquirer compares defaults by ===, and some values are objects: it is given positions.
  const at = byDefault === undefined ? 0 : choices.findIndex(({ value }) => value === byDefault);
  const index = await prompt({
    type: 'select',
    message,
    choices: choices.map(({ name }, value) => ({ name, value })),
    default: Math.max(0, at),
    pageSize: 12,
  });
  const choice = choices[Number(index)];
  if (choice === undefined) throw new Error('the prompt takes only what it offers');
  return choice.value;
}

/** Any number of a few. */
export async function checkbox(
  message: string,
  names: readonly string[],
  checked = false,
): Promise<string[]> {
  const choices = names.map((name) => ({ name, value: name, checked }));
  return (await prompt({ type: 'checkbox', message, choices })) as string[];
}

export async function confirm(message: string, byDefault: boolean): Promise<boolean> {
  return (await prompt({ type: 'confirm', message, default: byDefault })) === true;
}
