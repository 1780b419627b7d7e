import { EXIT, type ExitCode } from './exit-codes.js';

/** Where in a file a mistake is. Lines and columns count from 1. */
export interface Place {
  file: string;
  line?: number;
  column?: number;
}

export interface IzoErrorOptions {
  /** Exit code of the command that fails with this error. Default: 1, failure. */
  exit?: ExitCode;
  /** The file, or the line in it, that the user must look at. */
  place?: Place;
  /** What to do next, as a full sentence or a command to run. */
  remedy?: string;
  cause?: unknown;
}

/**
 * An expected failure, told in words a user can act on: what happened (message), where (place), what to do (remedy).
 * Everything else that is thrown is a bug. Codes are stable, lower-case words joined by hyphens (`not-formatted`).
 */
export class IzoError extends Error {
  readonly code: string;
  readonly exit: ExitCode;
  readonly place: Place | undefined;
  readonly remedy: string | undefined;

  constructor(code: string, message: string, options: IzoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'IzoError';
    this.code = code;
    this.exit = options.exit ?? EXIT.failure;
    this.place = options.place;
    this.remedy = options.remedy;
  }
}

/** `file:line:column`, as compilers print it, so that editors can jump there. */
export function formatPlace(place: Place): string {
  let text = place.file;
  if (place.line !== undefined) text += `:${place.line}`;
  if (place.line !== undefined && place.column !== undefined) text += `:${place.column}`;
  return text;
}
