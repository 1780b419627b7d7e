import { constants } from 'node:os';

/** Error numbers by name, as this kernel has them. Functions of this folder return them negated. */
export const E = constants.errno;

/** What <linux/..> has and Node does not name. */
export const ENODATA = 61;
export const ESTALE = 116;

const NAMES = new Map<number, string>(Object.entries(E).map(([name, code]) => [code, name]));

/** The symbolic name of an error number, positive or negated: `ENOSPC`. */
export function errnoName(code: number): string {
  return NAMES.get(Math.abs(code)) ?? `errno ${Math.abs(code)}`;
}

/** A system call failed where that is not part of the plan: which one, on what, why. */
export class SystemError extends Error {
  readonly code: string;

  constructor(
    readonly operation: string,
    readonly errno: number,
    subject = '',
  ) {
    super(`${operation}${subject === '' ? '' : ` ${subject}`}: ${errnoName(errno)}`);
    this.name = 'SystemError';
    this.code = errnoName(errno);
  }
}

/** @returns `result` unless it is a negated errno. @throws SystemError */
export function must(operation: string, result: number, subject = ''): number {
  if (result < 0) throw new SystemError(operation, -result, subject);
  return result;
}
