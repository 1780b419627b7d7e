import type { DebugLevel } from '../system/log.js';
import { number } from './messages.js';

/** The request `debug` of commands: {} tells, {level} sets it, {reset: true} sets it to what it was at the start. */
export interface DebugRequest {
  readonly level?: number;
  readonly reset?: boolean;
}

export interface DebugAnswer {
  readonly level: number;
  readonly configured: number;
}

/** @throws FrameError */
export function answerDebug(
  debug: DebugLevel,
  head: Readonly<Record<string, unknown>>,
  log: (message: string) => void,
): Record<string, unknown> {
  const before = debug.level;
  if (head['reset'] === true) debug.set(debug.configured);
  else if (head['level'] !== undefined) debug.set(number(head, 'level'));
  const { level, configured } = debug;
  if (level !== before) log(`the debug level is ${level} now; it was ${before}`);
  return { level, configured } satisfies DebugAnswer;
}
