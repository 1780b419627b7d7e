import { IzoError } from '../model/errors.js';
import { Attr } from '../system/attr.js';
import { E, must } from '../system/errno.js';
import { stat } from '../system/files.js';

const FILES = ['fileset', 'kml', 'lml', 'last_rcvd', 'epochs', 'reserve'];
export const DIRECTORIES = ['stage', 'conflicts'];

const attr = new Attr();

/**
 * Names in a fileset's directory that stand for something else than izo has put there: a link, or a directory instead of a
 * file. What is missing is not among them. `directory`: descriptor of `.intermezzo/<fileset>`. @throws SystemError
 */
export function strangersIn(directory: number): string[] {
  const isThere = (name: string): boolean => {
    const result = stat(directory, name, attr);
    if (result !== -E.ENOENT) must('statx', result, name);
    return result === 0;
  };
  return [
    ...FILES.filter((name) => isThere(name) && !attr.isRegular),
    ...DIRECTORIES.filter((name) => isThere(name) && !attr.isDirectory),
  ];
}

/** @throws IzoError journal-damaged; SystemError */
export function refuseStrangers(directory: number): void {
  const [name] = strangersIn(directory);
  if (name === undefined) return;
  const kind = FILES.includes(name) ? 'a file' : 'a directory';
  throw new IzoError('journal-damaged', `${name} is not ${kind}, as it has to be.`, {
    remedy: 'izo recovery',
  });
}
