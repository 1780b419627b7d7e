import { IzoError, type Place } from '../model/errors.js';

/** One thing that is wrong in a configuration file, in words a user can act on. */
export interface Problem {
  /** A warning is worth telling but nothing to refuse work for. */
  severity: 'error' | 'warning';
  /** Stable, lower-case words joined by hyphens. */
  code: string;
  message: string;
  place: Place;
  remedy: string;
}

/** What a reader found: what could be understood, and all that was wrong, in file order. */
export interface Reading<T> {
  /** Undefined where nothing usable was found. Where there are errors it holds what is left after them. */
  value: T | undefined;
  problems: Problem[];
}

/** How the parts of a reader tell of a problem. */
export type Report = (problem: Omit<Problem, 'severity'> & { severity?: 'warning' }) => void;

/** A list of problems and the function that adds to it. */
export function collectProblems(): { problems: Problem[]; report: Report } {
  const problems: Problem[] = [];
  return { problems, report: (problem) => problems.push({ severity: 'error', ...problem }) };
}

/** Problems of one file by their place in it, so that the first one told is the first one met when reading. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    (a, b) =>
      (a.place.line ?? 0) - (b.place.line ?? 0) || (a.place.column ?? 0) - (b.place.column ?? 0),
  );
}

export function isFreeOfErrors(reading: Reading<unknown>): boolean {
  return reading.problems.every((problem) => problem.severity !== 'error');
}

export function problemAsError(problem: Problem): IzoError {
  const { code, message, place, remedy } = problem;
  return new IzoError(code, message, { place, remedy });
}

/** The value, if there are no errors. @throws IzoError: the first error. */
export function mustRead<T>(reading: Reading<T>): T {
  const first = reading.problems.find((problem) => problem.severity === 'error');
  if (first !== undefined) throw problemAsError(first);
  if (reading.value === undefined) throw new Error('a reading without errors has a value');
  return reading.value;
}
