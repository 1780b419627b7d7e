import { didYouMean, listed } from '../config/suggest.js';

/** What oclif's errors of parsing tell besides their words. */
interface ParseError extends Error {
  readonly args?: readonly { readonly name: string; readonly description?: string }[];
  readonly flags?: readonly string[];
  readonly parse?: { readonly input?: { readonly flags?: Readonly<Record<string, unknown>> } };
}

/** What is wrong with the words of a command line, and what was meant where that can be guessed. */
export interface UsageWords {
  readonly message: string;
  /** A sentence with a blank after it, or nothing. */
  readonly hint: string;
}

/** oclif's words where they are a sentence; ours where they are a list over several lines, or its own terms. */
export function usageWords(thrown: Error): UsageWords {
  const error = thrown as ParseError;
  const kind = error.constructor.name;
  const [argument] = error.args ?? [];
  // It lists missing arguments below one another; the user wants to know the first.
  if (kind === 'RequiredArgsError' && argument !== undefined) {
    const what = argument.description === undefined ? '' : ` (${argument.description})`;
    return { message: `${argument.name.toUpperCase()} is missing${what}`, hint: '' };
  }
  const [flag] = error.flags ?? [];
  if (kind === 'NonExistentFlagsError' && flag !== undefined) {
    const known = Object.keys(error.parse?.input?.flags ?? {}).map((name) => `--${name}`);
    const [name = ''] = flag.split('=');
    const hint = name.startsWith('--') ? didYouMean(name, known) : '';
    return { message: `there is no option ${listed([name])}`, hint };
  }
  return { message: sentence(thrown.message), hint: '' };
}

/** oclif puts its own words around those of whoever reads a flag. */
export function sentence(message: string): string {
  return message
    .replace(/\n?See more help with --help/g, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/^Parsing (--[\w-]+)\s*\n?\s*Expected (.*) but received: (.*)$/s, '$1 is $2, not $3')
    .replace(/^Parsing (--[\w-]+)\s*/, '$1: ')
    .replace(/^Missing required flag (.*)$/, '--$1 is missing')
    .replace(
      /^(--[\w-]+)=.* cannot also be provided when using (--[\w-]+)$/s,
      '$1 does not go with $2',
    )
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}
