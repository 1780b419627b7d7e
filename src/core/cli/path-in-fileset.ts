import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { isValidPath } from '../model/names.js';

/**
 * A path as a user writes it, from the root of the fileset, with or without slashes around it, as records have it.
 * @throws IzoError bad-path
 */
export function pathInFileset(text: string): string {
  const path = Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/^(\.?\/)+|\/+$/g, '');
  const clean = path === '.' ? '' : path;
  if (isValidPath(clean, true)) return clean;
  throw new IzoError('bad-path', `"${text}" is no path within a fileset`, {
    exit: EXIT.usage,
    remedy: 'Write it from the root of the fileset, like docs/plan.txt',
  });
}
