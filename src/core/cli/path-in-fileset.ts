import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { listMounted, type MountedState } from '../presto/mounting/mounted-state.js';
import { bytesOfDisplay, isValidPath } from '../model/names.js';

/**
 * A path as a user writes it, from the root of the fileset, with or without slashes around it, as records have it. What cannot be
 * typed is written as izo shows it.
 * @throws IzoError bad-path
 */
export function pathInFileset(text: string): string {
  const path = bytesOfDisplay(text).replace(/^(\.?\/)+|\/+$/g, '');
  const clean = path === '.' ? '' : path;
  if (isValidPath(clean, true)) return clean;
  throw new IzoError('bad-path', `"${text}" is no path within a fileset`, {
    exit: EXIT.usage,
    remedy: 'Write it from the root of the fileset, like docs/plan.txt',
  });
}

/**
 * A fileset and a path in it where a user names either by where it is mounted: `/izo0/docs/plan.txt` is `docs/plan.txt` of
 * the fileset at `/izo0`.
 */
export function whatIsMeant(
  { fileset, path }: { fileset?: string | undefined; path?: string | undefined },
  runDir: string,
): { fileset: string | undefined; path: string } {
  const all = listMounted(runDir);
  const last = path ?? fileset ?? '';
  const at = all.find(({ mountPoint }) => last.startsWith(`${mountPoint}/`));
  const isOther = path !== undefined && at !== undefined && !isNamed(at, fileset ?? '');
  if (at === undefined || isOther) return { fileset, path: path ?? '' };
  return { fileset: at.mountPoint, path: last.slice(at.mountPoint.length) };
}

function isNamed({ fileset, mountPoint, device }: MountedState, word: string): boolean {
  return [fileset, mountPoint, device].includes(word.replace(/(?<=.)\/$/, ''));
}
