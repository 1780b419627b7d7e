import { PARK } from '../port.js';
import type { Exchange } from './exchange.js';

/** How one kind of request is served. */
export interface Operation {
  /** @returns 0 or a count, a negated errno, or PARK: then it is called again with the same request. */
  run(x: Exchange, request: Buffer, args: readonly unknown[]): number;
  /** What the addon wants with the answer, besides the result. */
  answer(x: Exchange, args: readonly unknown[]): readonly unknown[];
}

/** `A`: the arguments that fuse-native.c hands over with this request. */
export function operation<A extends readonly unknown[]>(
  run: (x: Exchange, request: Buffer, ...args: A) => number,
  answer: (x: Exchange, ...args: A) => readonly unknown[] = () => [],
): Operation {
  return {
    run: (x, request, args) => run(x, request, ...(args as A)),
    answer: (x, args) => answer(x, ...(args as A)),
  };
}

/** Operations that answer nothing but success return counts of no meaning. */
export function withoutCount(result: number): number {
  return result > 0 && result !== PARK ? 0 : result;
}

const TWO32 = 2 ** 32;

/** 64 bits come in halves. */
export function joined(low: number, high: number): number {
  return high * TWO32 + low;
}
